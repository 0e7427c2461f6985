//! The inbox.

use http::StatusCode;
use todo_app::http::{Answer, Request, empty, problem::Problem};
use todo_app::spin::Call;
use todo_app::wire;

use crate::{App, Operation, id};

pub(crate) async fn list_notifications(app: &App, request: &Request) -> Answer {
    let user = app.reader(request).await?;
    let (limit, after) = wire::inbox_query(request.uri().query()).map_err(Problem::invalid)?;
    let page = app.inbox(user.id, limit, after).await?;
    Ok(wire::inbox_answer(request, &page))
}

pub(crate) async fn read_notification(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.writer(&call.request).await?.user;
    app.mark_notification_read(user.id, id(call, "notification")?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn read_notifications(app: &App, request: &Request) -> Answer {
    let user = app.writer(request).await?.user;
    app.mark_notifications_read(user.id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
