//! Tasks for other programs, over HTTP: files, and the calendar feed.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::http::{Answer, Request, problem::Problem};
use todo_app::routes::exports::{Operation, ROUTES};
use todo_app::spin::{Call, SpinTransport, serve};
use todo_app::wire;

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::ExportTasks => export_tasks(&app, &call.request).await,
        Operation::GetCalendar => get_calendar(&app, &call).await,
    }
}

async fn export_tasks(app: &App, request: &Request) -> Answer {
    let user = app.reader(request).await?;
    let format = wire::export_query(request.uri().query()).map_err(Problem::invalid)?;
    // An API token reads tasks and not the account.
    let account = match app.signed_in_user(request) {
        Ok(user) => Some(app.account(&user).await?),
        Err(_) => None,
    };
    app.export(&user, account.as_ref(), format).await
}

async fn get_calendar(app: &App, call: &Call<Operation>) -> Answer {
    let kind = wire::feed_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let secret = call.path.first().map(String::as_str).unwrap_or_default();
    app.calendar_feed(secret, kind).await
}
