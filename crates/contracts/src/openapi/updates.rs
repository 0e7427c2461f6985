//! What the operations of the component `updates` take and answer.

use serde_json::json;
use todo_app::routes::updates::Operation;
use todo_app::sse::EVENT_STREAM;
use todo_app::updates::End;

use super::described::Described;

pub(super) fn describe(operation: Operation) -> Described {
    match operation {
        Operation::StreamUpdates => Described::new("updates", "Streams what changes on your tasks.")
            .listens()
            .takes(&["LastEventId", "lastEventId"])
            .answers_with(
                200,
                "The stream.",
                json!({ EVENT_STREAM: { "schema": { "type": "string", "description": events() } } }),
            )
            .refuses([400, 429]),
    }
}

/// What a stream says, event by event.
fn events() -> String {
    let ends: Vec<String> = End::ALL
        .into_iter()
        .map(|end| format!("`{}`{}", end.as_str(), if end.may_reconnect() { "" } else { " (sign in anew)" }))
        .collect();
    format!(
        "Server-sent events; the `id` of each is the number of a change, and goes into `Last-Event-ID` when the stream is \
        opened again.\n\
        `ready` with `{{sequence}}`: the stream is open; what follows is what came behind that change.\n\
        `update` with an update of `task-updates`: a field has another value, or a task is `created` or `deleted`. Only the \
        last update of a change has an `id`.\n\
        `reset` with `{{sequence}}`, in the place of `ready`: more was missed than is remembered; read the tasks anew.\n\
        `end` with `{{reason, reconnect}}`: the stream ends. Reasons are {}.\n\
        A comment every 15 seconds says that the stream is alive.",
        ends.join(", ")
    )
}
