//! What the operations of the component `accounts` take and answer.

use serde_json::json;
use todo_app::routes::accounts::Operation;

use super::described::Described;
use crate::samples::requests;

const COOKIE: &[(&str, &str)] = &[("Set-Cookie", "SetCookie")];

pub(super) fn describe(operation: Operation) -> Described {
    let account = |summary| Described::new("accounts", summary);
    match operation {
        Operation::SignUp => account("Makes an account and signs it in.")
            .body("SignUp", requests::sign_up())
            .changes()
            .answers_json(201, "The account, and its tokens.", "SignedIn")
            .headers(201, COOKIE)
            .refuses([429])
            .links(201, &[("sign_in", json!({ "requestBody": { "email": "$request.body#/email", "password": "$request.body#/password" } }))]),
        Operation::SignIn => account("Signs in.")
            .body("SignIn", requests::sign_in())
            .changes()
            .answers_json(200, "The account, and its tokens.", "SignedIn")
            .headers(200, COOKIE)
            .refuses([401, 429]),
        Operation::Refresh => account("Gives a new access token for the refresh cookie, and a new cookie.")
            .by_cookie()
            .changes()
            .answers_json(200, "The account, and its tokens.", "SignedIn")
            .headers(200, COOKIE)
            .refuses([401]),
        Operation::SignOut => account("Ends the session of the refresh cookie; nothing happens without one.")
            .changes()
            .answers(204, "It has ended.")
            .headers(204, COOKIE),
        Operation::GetProfile => account("Gives your account.").signed_in().answers_json(200, "Your account.", "Profile"),
        Operation::UpdateProfile => account("Changes your account. A new password ends every session.")
            .signed_in()
            .body("ProfileChange", requests::profile_change())
            .changes()
            .answers_json(200, "Your account, and new tokens.", "SignedIn")
            .headers(200, COOKIE),
        Operation::DeleteAccount => account("Removes your account and everything in it, for good.")
            .signed_in()
            .changes()
            .answers(204, "It is gone.")
            .headers(204, COOKIE),
        Operation::ListApiTokens => {
            account("Lists your API tokens, the newest first.").signed_in().answers_array(200, "The tokens.", "ApiToken")
        }
        Operation::CreateApiToken => account("Makes an API token.")
            .signed_in()
            .numbered()
            .body("NewApiToken", requests::create_api_token())
            .answers_json(201, "The token, shown this once.", "ApiToken")
            .links(201, &[("revoke_api_token", json!({ "parameters": { "id": "$response.body#/id" } }))]),
        Operation::RevokeApiToken => account("Revokes an API token.")
            .signed_in()
            .changes()
            .answers(204, "It opens nothing any more.")
            .refuses([404]),
        Operation::RevokeApiTokens => {
            account("Revokes every API token.").signed_in().changes().answers(204, "They open nothing any more.")
        }
        Operation::OpenCalendarFeed => account("Opens a calendar feed in place of any before.")
            .signed_in()
            .numbered()
            .answers_json(201, "Where the feed is, shown this once.", "CalendarFeed")
            .headers(201, &[("Location", "Location")]),
        Operation::CloseCalendarFeed => {
            account("Ends the calendar feed; nothing happens without one.").signed_in().changes().answers(204, "It has ended.")
        }
    }
}
