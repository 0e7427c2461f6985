//! Tasks in other ways than one by one: many at once, and one from a line of text.

use http::StatusCode;
use todo_app::http::{Answer, body, json, problem::Problem};
use todo_app::spin::Call;
use todo_app::wire::{self, QuickTaskBody};
use todo_domain::list::Command;
use todo_domain::quick_add::QuickAdd;

use crate::{App, Operation};

pub(crate) async fn change_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let object = body::json_object(&call.request)?;
    let bulk = wire::bulk(&object, &writer.user.time_zone).map_err(Problem::invalid)?;
    let answer = |results| Ok(json(StatusCode::OK, &bulk.body(results)));
    app.change_list(&writer, &bulk.commands(), answer).await
}

pub(crate) async fn quick_add_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let object = body::json_object(&call.request)?;
    let line = wire::quick_line(&object).map_err(Problem::invalid)?;
    let QuickAdd { task, understood } = QuickAdd::parse(&line, app.now, &writer.user.time_zone);
    let created = |task: &_| wire::created_answer(task, &QuickTaskBody::new(task, &understood, app.now));
    app.change_task(&writer, Command::create(task), created).await
}
