//! Tasks from files of other programs.

use todo_app::http::{Answer, Request};
use todo_app::import::{Format, read};
use todo_domain::{Actor, ActorKind};

use crate::App;

pub(crate) async fn import_tasks(app: &App, request: &Request) -> Answer {
    let mut writer = app.writer(request).await?;
    writer.actor = Actor::of(ActorKind::Import);
    let format = Format::of(request)?;
    let records = read(format, request.body(), &writer.user.time_zone)?;
    app.import(&writer, records).await
}
