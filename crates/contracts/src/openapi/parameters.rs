//! Parameters and headers that operations share.

use serde_json::{Map, Value, json};
use todo_app::activity::ActivityQuery;
use todo_app::idempotency::MAX_KEY;
use todo_app::notifications::inbox::{DEFAULT_LIMIT, MAX_ENTRIES};
use todo_app::wire::ExportFormat;
use todo_domain::query::{ListQuery, SearchQuery};
use todo_domain::{Priority, Status};

use crate::samples;

/// `components/parameters`: those of paths by their name in the path, those of queries and headers by what they are.
pub(super) fn all() -> Map<String, Value> {
    let id = json!(samples::task_id());
    let list = [
        path(
            "secret",
            "The secret of the feed's address.",
            json!({ "type": "string", "format": "feed-secret" }),
            json!("secret"),
        ),
        path(
            "id",
            "The id of a task, or of whatever the path names.",
            json!({ "type": "string", "format": "uuid" }),
            id,
        ),
        query("status", "Only tasks of this status.", words(Status::ALL.map(Status::as_str))),
        query("priority", "Only tasks of this priority.", words(Priority::ALL.map(Priority::as_str))),
        query(
            "tag",
            "Only tasks with this tag; given more than once, with all of them.",
            json!({ "type": "array", "items": { "type": "string" } }),
        ),
        query(
            "sort",
            "What to sort by. Tasks without it come last.",
            words(["createdAt", "updatedAt", "dueDate", "priority", "title"]),
        ),
        query(
            "order",
            "Newest first for times of making and changing, ascending for the others, unless given.",
            words(["asc", "desc"]),
        ),
        ("ListLimit".to_owned(), limit(ListQuery::DEFAULT_LIMIT, ListQuery::MAX_LIMIT)),
        ("ActivityLimit".to_owned(), limit(ActivityQuery::DEFAULT_LIMIT, ActivityQuery::MAX_LIMIT)),
        ("SearchLimit".to_owned(), limit(SearchQuery::DEFAULT_LIMIT, SearchQuery::MAX_LIMIT)),
        ("InboxLimit".to_owned(), limit(DEFAULT_LIMIT, MAX_ENTRIES)),
        (
            "InboxCursor".to_owned(),
            json!({
                "name": "cursor", "in": "query", "schema": { "type": "string", "format": "uuid" },
                "description": "Where the last page ended, the id of its last entry: from the answer's `Link`.",
            }),
        ),
        query(
            "cursor",
            "Where the last page ended: from the answer's `Link`.",
            json!({ "type": "string", "format": "cursor" }),
        ),
        query(
            "format",
            "What the file is.",
            json!({ "type": "string", "enum": ExportFormat::ALL.map(ExportFormat::as_str), "default": "json" }),
        ),
        query(
            "as",
            "What each task is in the calendar.",
            json!({ "type": "string", "enum": ["events", "todos"], "default": "events" }),
        ),
        query("q", "Text in the title, the description or a tag, whatever its case.", json!({ "type": "string" })),
        query("dueDateFrom", "Due then or later.", due()),
        query("dueDateTo", "Due then or earlier; a day counts to its end.", due()),
        query("overdue", "Only tasks that are overdue, or only others.", json!({ "type": "boolean" })),
        query(
            "page",
            "Which page, counted from 1.",
            json!({ "type": "integer", "minimum": 1, "maximum": SearchQuery::MAX_PAGE, "default": 1 }),
        ),
        (
            "LastEventId".to_owned(),
            json!({
                "name": "Last-Event-ID", "in": "header",
                "description": "The `id` that the stream said last, as `EventSource` sends it by itself.",
                "schema": { "type": "string", "pattern": "^[0-9]{1,19}$" },
            }),
        ),
        query(
            "lastEventId",
            "The same, for clients that cannot send the header, which wins over it.",
            json!({ "type": "integer", "minimum": 0 }),
        ),
        (
            "IfMatch".to_owned(),
            json!({
                "name": "If-Match", "in": "header",
                "description": "The `ETag` of the task as you know it, or `*`. The task is changed only when it has it still.",
                "schema": { "type": "string", "format": "entity-tag" },
            }),
        ),
        (
            "IdempotencyKey".to_owned(),
            json!({
                "name": "Idempotency-Key", "in": "header",
                "description": "The write's own number, such as a UUID: sent again within a day, it has no second effect and the same answer.",
                "schema": { "type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$" },
            }),
        ),
        (
            "IfNoneMatch".to_owned(),
            json!({
                "name": "If-None-Match", "in": "header",
                "description": "The `ETag` of the task as you know it. You get the task only when it has another now.",
                "schema": { "type": "string", "format": "entity-tag" },
            }),
        ),
    ];
    list.into_iter().collect()
}

/// `components/headers`.
pub(super) fn headers() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "RequestId": { "description": "Names the request in logs: the request's own `X-Request-Id`, or a new one.", "required": true, "schema": text },
        "EntityTag": { "description": "The task's version in quotes.", "required": true, "schema": { "type": "string", "pattern": "^\"[0-9]+\"$" } },
        "Location": { "description": "The path of what was made.", "required": true, "schema": { "type": "string", "format": "uri-reference" } },
        "Link": { "description": "`rel=\"next\"`: the next page. Absent on the last.", "schema": text },
        "TotalCount": { "description": "How many match, on all pages.", "required": true, "schema": { "type": "integer", "minimum": 0 } },
        "UnreadCount": { "description": "How many were not read, on all pages.", "required": true, "schema": { "type": "integer", "minimum": 0 } },
        "RetryAfter": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } },
        "Challenge": { "description": "How to show who you are (RFC 6750).", "schema": text },
        "IdempotentReplayed": { "description": "`true` when this is the answer to an earlier request with the same `Idempotency-Key`.", "schema": text },
        "ContentDisposition": { "description": "The file's name.", "required": true, "schema": text },
        "SetCookie": { "description": "The refresh token's cookie.", "schema": text },
    })
}

fn path(name: &str, description: &str, schema: Value, example: Value) -> (String, Value) {
    let parameter = json!({
        "name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example,
    });
    (format!("path.{name}"), parameter)
}

fn query(name: &str, description: &str, schema: Value) -> (String, Value) {
    (name.to_owned(), json!({ "name": name, "in": "query", "description": description, "schema": schema }))
}

fn limit(default: usize, most: usize) -> Value {
    let schema = json!({ "type": "integer", "minimum": 1, "maximum": most, "default": default });
    json!({ "name": "limit", "in": "query", "description": "The most items of a page.", "schema": schema })
}

fn words<const N: usize>(words: [&str; N]) -> Value {
    json!({ "type": "string", "enum": words.as_slice() })
}

fn due() -> Value {
    // A parameter without a value is as good as absent.
    let blank = json!({ "type": "string", "maxLength": 0 });
    json!({ "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "string", "format": "date" }, blank] })
}
