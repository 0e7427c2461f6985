//! Accounts over HTTP: sign-up, sign-in, refresh, sign-out, the profile, API tokens and the calendar feed's secret.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

mod auth;
mod cookie;
mod me;
mod tokens;

use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;
use todo_app::http::Answer;
use todo_app::routes::accounts::{Operation, ROUTES};
use todo_app::spin::{Call, Reply, Silent, SpinTransport, serve_to};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    // An answer may set two cookies.
    let handler = async |app: App, call| answer(app, call).await.map(Reply::<Silent>::Whole);
    serve_to(request, out, ROUTES, handler).await;
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::SignUp => auth::sign_up(&app, &call.request).await,
        Operation::SignIn => auth::sign_in(&app, &call.request).await,
        Operation::Refresh => auth::refresh(&app, &call.request).await,
        Operation::SignOut => auth::sign_out(&app, &call.request).await,
        Operation::GetProfile => me::get_profile(&app, &call.request).await,
        Operation::UpdateProfile => me::update_profile(&app, &call.request).await,
        Operation::DeleteAccount => me::delete_account(&app, &call.request).await,
        Operation::ListApiTokens => tokens::list_api_tokens(&app, &call.request).await,
        Operation::CreateApiToken => tokens::create_api_token(&app, &call.request).await,
        Operation::RevokeApiToken => tokens::revoke_api_token(&app, &call).await,
        Operation::RevokeApiTokens => tokens::revoke_api_tokens(&app, &call.request).await,
        Operation::OpenCalendarFeed => tokens::open_calendar_feed(&app, &call.request).await,
        Operation::CloseCalendarFeed => tokens::close_calendar_feed(&app, &call.request).await,
    }
}
