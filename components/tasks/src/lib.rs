//! Tasks over HTTP: one by one, many at once and from a line of text; the trash; tags; health.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

mod health;
mod many;
mod tasks;
mod trash;

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::http::Answer;
use todo_app::routes::tasks::{Operation, ROUTES};
use todo_app::spin::{Call, SpinTransport, serve};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::CreateTask => tasks::create_task(&app, &call).await,
        Operation::ListTasks => tasks::list_tasks(&app, &call).await,
        Operation::SearchTasks => tasks::search_tasks(&app, &call).await,
        Operation::GetTask => tasks::get_task(&app, &call).await,
        Operation::UpdateTask => tasks::update_task(&app, &call).await,
        Operation::CompleteTask => tasks::complete_task(&app, &call).await,
        Operation::ReopenTask => tasks::reopen_task(&app, &call).await,
        Operation::DeleteTask => tasks::delete_task(&app, &call).await,
        Operation::ChangeTasks => many::change_tasks(&app, &call).await,
        Operation::QuickAddTask => many::quick_add_task(&app, &call).await,
        Operation::ListTrash => trash::list_trash(&app, &call).await,
        Operation::RestoreTask => trash::restore_task(&app, &call).await,
        Operation::PurgeTask => trash::purge_task(&app, &call).await,
        Operation::EmptyTrash => trash::empty_trash(&app, &call).await,
        Operation::ListTags => tasks::list_tags(&app, &call).await,
        Operation::GetHealth => health::get_health(&app).await,
    }
}
