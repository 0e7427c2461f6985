//! What happened to tasks: written down event by event, and read by the people whose tasks they are.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::events::{TaskTopicEvent, take_task_event};
use todo_app::failure::Failure;
use todo_app::handlers::{self, activity::Operation as Event};
use todo_app::http::{Answer, problem::Problem};
use todo_app::routes::activity::{Operation, ROUTES};
use todo_app::spin::{Call, SpinTransport, only_the_sidecar, serve};
use todo_app::wire;
use todo_domain::TaskId;

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    if request.path_with_query().is_some_and(|path| path.starts_with(handlers::EVENTS)) {
        return serve(request, handlers::activity::ROUTES, take_event).await;
    }
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::ListActivity => list_activity(&app, &call).await,
        Operation::ListTaskActivity => list_task_activity(&app, &call).await,
    }
}

async fn list_activity(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let query = wire::activity_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let page = app.activity_of_user(user.id, query).await?;
    Ok(wire::activity_answer(&call.request, &page))
}

async fn list_task_activity(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let query = wire::activity_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let no_such_task = || Problem::not_found("There is no such task.");
    let id = call.path.first().and_then(|text| TaskId::parse(text).ok()).ok_or_else(no_such_task)?;
    let page = app.activity_of_task(user.id, id, query).await?.ok_or_else(no_such_task)?;
    Ok(wire::activity_answer(&call.request, &page))
}

async fn take_event(app: App, call: Call<Event>) -> Answer {
    only_the_sidecar(&call.request)?;
    match call.operation {
        Event::WriteDown => take_task_event(&call.request, async |event| Ok(write_down(&app, event).await?)).await,
    }
}

async fn write_down(app: &App, event: TaskTopicEvent) -> Result<(), Failure> {
    match event {
        TaskTopicEvent::Task(event) => app.record_activity(&event).await,
        TaskTopicEvent::AccountDeleted(event) => app.forget_activity(&event).await,
    }
}
