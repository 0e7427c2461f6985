//! One handler for each operation on tasks: request in, use case, answer out.

use http::{HeaderName, HeaderValue, StatusCode, header};
use todo_app::access::{User, authenticate};
use todo_app::failure::Failure;
use todo_app::http::{Answer, Request, Response, body, conditional, empty, json, problem::Problem};
use todo_app::spin::Call;
use todo_app::wire::{self, SearchBody, TagBody, TaskBody};
use todo_domain::list::Command;
use todo_domain::query::TagCount;
use todo_domain::{Task, TaskId};

use crate::{App, Operation};

/// How many tasks match in all, on every page.
const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

pub(crate) async fn create_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let object = body::json_object(&call.request)?;
    let draft = wire::new_task(&object, &user.time_zone, app.now).map_err(Problem::invalid)?;
    let task = changed(app.change_task(user.id, Command::create(draft)).await)?;
    let mut response = one(app, StatusCode::CREATED, &task);
    let location = format!("/api/tasks/{}", task.id);
    response.headers_mut().insert(header::LOCATION, ascii(&location));
    Ok(response)
}

pub(crate) async fn list_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let query = wire::list_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let page = app.read_list(user.id, |list| query.run(list, app.now)).await?;
    let mut response = json(StatusCode::OK, &TaskBody::all(&page.items, app.now));
    response.headers_mut().insert(TOTAL_COUNT, page.total.into());
    if let Some(cursor) = page.next {
        let link = format!("<{}>; rel=\"next\"", next_page(&call.request, &cursor.to_string()));
        response.headers_mut().insert(header::LINK, ascii(&link));
    }
    Ok(response)
}

pub(crate) async fn search_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let query = wire::search_query(call.request.uri().query(), &user.time_zone).map_err(Problem::invalid)?;
    let found = app.read_list(user.id, |list| query.run(list, app.now)).await?;
    let items = TaskBody::all(&found.items, app.now);
    Ok(json(
        StatusCode::OK,
        &SearchBody { items, total: found.total, page: found.page, limit: found.limit, pages: found.pages },
    ))
}

pub(crate) async fn get_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let id = task_id(call)?;
    let found = app.read_list(user.id, |list| list.task(id)).await?;
    let task = found.filter(|task| !task.is_trashed()).ok_or_else(no_such_task)?;
    // Whether a task is overdue changes without its version; such an answer is not given from a cache.
    if conditional::client_has(&call.request, task.version) && !task.is_overdue(app.now) {
        let mut response = empty(StatusCode::NOT_MODIFIED);
        conditional::tag(&mut response, task.version);
        return Ok(response);
    }
    Ok(one(app, StatusCode::OK, &task))
}

pub(crate) async fn update_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let object = body::json_object(&call.request)?;
    let change = wire::task_change(&object, &user.time_zone).map_err(Problem::invalid)?;
    let command = Command::Update { id, change: Box::new(change), expected_version };
    let task = changed(app.change_task(user.id, command).await)?;
    Ok(one(app, StatusCode::OK, &task))
}

pub(crate) async fn complete_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let task = changed(app.change_task(user.id, Command::Complete { id, expected_version }).await)?;
    Ok(one(app, StatusCode::OK, &task))
}

pub(crate) async fn reopen_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    let task = changed(app.change_task(user.id, Command::Reopen { id, expected_version }).await)?;
    Ok(one(app, StatusCode::OK, &task))
}

pub(crate) async fn delete_task(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let id = task_id(call)?;
    let expected_version = conditional::expected_version(&call.request)?;
    app.change_task(user.id, Command::Delete { id, expected_version }).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn list_tags(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let tags = app.read_list(user.id, TagCount::of).await?;
    let tags: Vec<TagBody> = tags.into_iter().map(TagBody::from).collect();
    Ok(json(StatusCode::OK, &tags))
}

/// Who is asking.
pub(crate) fn user(app: &App, request: &Request) -> Result<User, Problem> {
    authenticate(&app.settings.signing_key, request, app.now)
}

fn task_id(call: &Call<Operation>) -> Result<TaskId, Problem> {
    call.path.first().and_then(|text| TaskId::parse(text).ok()).ok_or_else(no_such_task)
}

fn no_such_task() -> Problem {
    Problem::not_found("There is no such task.")
}

fn changed(outcome: Result<Option<Task>, Failure>) -> Result<Task, Problem> {
    outcome?.ok_or_else(no_such_task)
}

fn one(app: &App, status: StatusCode, task: &Task) -> Response {
    let mut response = json(status, &TaskBody::new(task, app.now));
    conditional::tag(&mut response, task.version);
    response
}

/// The same query with another cursor, as a path.
fn next_page(request: &Request, cursor: &str) -> String {
    let query = request.uri().query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.to_ascii_lowercase().starts_with("cursor="));
    let next = format!("cursor={cursor}");
    let query: Vec<&str> = kept.chain([next.as_str()]).collect();
    format!("{}?{}", request.uri().path(), query.join("&"))
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("ids, cursors and a request's own target are visible ASCII")
}
