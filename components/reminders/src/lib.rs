//! Reminders, each user's morning, and messages for later: all jobs of the application come here.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use http::StatusCode;
use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::events::take_task_event;
use todo_app::handlers::reminders::{Operation, ROUTES};
use todo_app::http::{Answer, empty};
use todo_app::spin::{Call, SpinTransport, only_the_sidecar, serve};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    only_the_sidecar(&call.request)?;
    match call.operation {
        Operation::KeepReminders => {
            return take_task_event(&call.request, async |event| app.keep_reminders(event).await).await;
        }
        Operation::BeginWalk => app.begin_walk().await?,
        Operation::TakeJob => app.take_job(&call.path[0], &call.request).await?,
    }
    Ok(empty(StatusCode::OK))
}
