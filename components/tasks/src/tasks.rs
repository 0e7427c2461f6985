//! One handler for each operation on tasks: request in, use case, answer out.

use http::StatusCode;
use todo_app::http::{Answer, body, conditional, empty, json, problem::Problem};
use todo_app::spin::Call;
use todo_app::wire::{self, SearchBody, TagBody, TaskBody};
use todo_domain::TaskId;
use todo_domain::list::Command;
use todo_domain::query::TagCount;

use crate::{App, Operation};

pub(crate) async fn create_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let object = body::json_object(&call.request)?;
    let draft = wire::new_task(&object, &writer.user.time_zone, app.now).map_err(Problem::invalid)?;
    app.change_task(&writer, Command::create(draft), |task| wire::created_answer(task, &TaskBody::new(task, app.now)))
        .await
}

pub(crate) async fn list_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let query = wire::list_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let page = app.read_list(user.id, |list| query.run(list, app.now)).await?;
    Ok(wire::page_answer(&call.request, &page, app.now))
}

pub(crate) async fn search_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let query = wire::search_query(call.request.uri().query(), &user.time_zone).map_err(Problem::invalid)?;
    let found = app.read_list(user.id, |list| query.run(list, app.now)).await?;
    let items = TaskBody::all(&found.items, app.now);
    Ok(json(
        StatusCode::OK,
        &SearchBody { items, total: found.total, page: found.page, limit: found.limit, pages: found.pages },
    ))
}

pub(crate) async fn get_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let id = task_id(call)?;
    let found = app.read_list(user.id, |list| list.task(id)).await?;
    let task = found.filter(|task| !task.is_trashed()).ok_or_else(no_such_task)?;
    // Whether a task is overdue changes without its version; such an answer is not given from a cache.
    if conditional::client_has(&call.request, task.version) && !task.is_overdue(app.now) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        conditional::tag(&mut response, task.version);
        return Ok(response);
    }
    Ok(wire::task_answer(&task, app.now))
}

pub(crate) async fn update_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let object = body::json_object(&call.request)?;
    let change = wire::task_change(&object, &writer.user.time_zone).map_err(Problem::invalid)?;
    let command = Command::Update { id, change: Box::new(change), expected_version };
    app.change_task(&writer, command, |task| wire::task_answer(task, app.now)).await
}

pub(crate) async fn complete_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let command = Command::Complete { id, expected_version };
    app.change_task(&writer, command, |task| wire::task_answer(task, app.now)).await
}

pub(crate) async fn reopen_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let command = Command::Reopen { id, expected_version };
    app.change_task(&writer, command, |task| wire::task_answer(task, app.now)).await
}

pub(crate) async fn delete_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let command = Command::Delete { id, expected_version };
    app.change_task(&writer, command, |_| empty(StatusCode::NO_CONTENT)).await
}

pub(crate) async fn list_tags(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let tags = app.read_list(user.id, TagCount::of).await?;
    let tags: Vec<TagBody> = tags.into_iter().map(TagBody::from).collect();
    Ok(json(StatusCode::OK, &tags))
}

pub(crate) fn task_id(call: &Call<Operation>) -> Result<TaskId, Problem> {
    call.path.first().and_then(|text| TaskId::parse(text).ok()).ok_or_else(no_such_task)
}

fn no_such_task() -> Problem {
    Problem::not_found("There is no such task.")
}
