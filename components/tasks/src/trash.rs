//! The trash: what is in it, and the two ways out.

use http::StatusCode;
use todo_app::failure::Failure;
use todo_app::http::{Answer, empty, problem::Problem};
use todo_app::spin::Call;
use todo_app::wire;
use todo_domain::list::Command;

use crate::{App, Operation, tasks::task_id};

pub(crate) async fn list_trash(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.reader(&call.request).await?;
    let query = wire::trash_query(call.request.uri().query()).map_err(Problem::invalid)?;
    let page = app.read_list(user.id, |list| query.run(list, app.now)).await?;
    Ok(wire::page_answer(&call.request, &page, app.now))
}

pub(crate) async fn restore_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    let command = Command::Restore(task_id(call)?);
    app.change_task(&writer, command, |task| wire::task_answer(task, app.now)).await
}

pub(crate) async fn purge_task(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    purge(app, &writer, Command::Purge(task_id(call)?)).await
}

pub(crate) async fn empty_trash(app: &App, call: &Call<Operation>) -> Answer {
    let writer = app.writer(&call.request).await?;
    // To the end of this millisecond: what went to the trash just now goes too.
    let after_now = app.now.checked_add(std::time::Duration::from_millis(1)).unwrap_or(app.now);
    purge(app, &writer, Command::PurgeTrashedBefore(after_now)).await
}

async fn purge(app: &App, writer: &todo_app::access::Writer, command: Command) -> Answer {
    let gone = |results: todo_app::lists::Results| {
        results.into_iter().collect::<Result<Vec<_>, _>>().map_err(Failure::from)?;
        Ok(empty(StatusCode::NO_CONTENT))
    };
    app.change_list(writer, &[command], gone).await
}
