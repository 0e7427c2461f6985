//! Makes the next occurrence of a recurring task when one is completed.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::events::take_task_event;
use todo_app::handlers::recurring::{Operation, ROUTES};
use todo_app::http::Answer;
use todo_app::spin::{Call, SpinTransport, only_the_sidecar, serve};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    only_the_sidecar(&call.request)?;
    match call.operation {
        Operation::FollowCompletedTask => {
            take_task_event(&call.request, async |event| app.follow_completed_task(event).await).await
        }
    }
}
