//! Tasks from files of other programs.

use todo_app::http::{Answer, Request};
use todo_app::import::{Format, read};

use crate::App;

pub(crate) async fn import_tasks(app: &App, request: &Request) -> Answer {
    let writer = app.writer(request).await?;
    let format = Format::of(request)?;
    let records = read(format, request.body(), &writer.user.time_zone)?;
    app.import(&writer, records).await
}
