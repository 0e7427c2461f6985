//! Tasks from files of other programs.

use http::StatusCode;
use todo_app::access::authenticate;
use todo_app::http::{Answer, Request, json};
use todo_app::import::{Format, read};

use crate::App;

pub(crate) async fn import_tasks(app: &App, request: &Request) -> Answer {
    let user = authenticate(&app.settings.signing_key, request, app.now)?;
    let format = Format::of(request)?;
    let records = read(format, request.body(), &user.time_zone)?;
    Ok(json(StatusCode::OK, &app.import(&user, records).await?))
}
