//! Tasks from files of other programs, over HTTP.
//!
//! A component of its own, since the readers of foreign formats are of no use to any other route and would double its size.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

mod import;

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::http::Answer;
use todo_app::routes::transfer::{Operation, ROUTES};
use todo_app::spin::{Call, SpinTransport, serve};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::ImportTasks => import::import_tasks(&app, &call.request).await,
    }
}
