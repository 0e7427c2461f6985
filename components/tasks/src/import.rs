//! Tasks from files of other programs.

use http::StatusCode;
use todo_app::http::{Answer, json};
use todo_app::import::{Format, read};
use todo_app::spin::Call;

use crate::{App, Operation, tasks::user};

pub(crate) async fn import_tasks(app: &App, call: &Call<Operation>) -> Answer {
    let user = user(app, &call.request)?;
    let format = Format::of(&call.request)?;
    let records = read(format, call.request.body(), &user.time_zone)?;
    Ok(json(StatusCode::OK, &app.import(&user, records).await?))
}
