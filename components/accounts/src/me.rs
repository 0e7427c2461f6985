//! The account of who is asking.

use http::StatusCode;
use todo_app::accounts::ProfileChange;
use todo_app::http::{Answer, Request, body, empty, json, problem::Problem};
use todo_app::wire::Fields;

use crate::{App, auth, cookie};

pub(crate) async fn get_profile(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    Ok(json(StatusCode::OK, &app.profile(&user).await?))
}

/// Answers with fresh tokens, since the access token carries the zone, and a new password ends the old sessions.
pub(crate) async fn update_profile(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    let object = body::json_object(request)?;
    let mut fields = Fields::new(&object);
    let name = fields.text("name");
    let time_zone = fields.time_zone("timeZone");
    let digest_time = fields.day_time("digestTime");
    let email_notifications = fields.choice("emailNotifications");
    let (present, new) = (fields.text("currentPassword"), fields.text("password"));
    let password = match (present, new) {
        (Some(present), Some(new)) => Some((present, new)),
        (None, None) => None,
        (None, Some(_)) => {
            fields.refuse("currentPassword", "is needed to set a new password");
            None
        }
        (Some(_), None) => {
            fields.refuse("password", "is missing: currentPassword is only for setting a new one");
            None
        }
    };
    fields.finish().map_err(Problem::invalid)?;
    let change = ProfileChange { name, time_zone, digest_time, email_notifications, password };
    let signed_in = app.change_profile(&user, app.session(request), change).await?;
    Ok(auth::answer(StatusCode::OK, request, signed_in))
}

/// Everything of the user's goes with it.
pub(crate) async fn delete_account(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    app.delete_account(&user).await?;
    let mut response = empty(StatusCode::NO_CONTENT);
    cookie::clear(&mut response, request);
    Ok(response)
}
