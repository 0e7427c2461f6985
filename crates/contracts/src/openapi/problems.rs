//! Errors: one form for all, and what each status says.

use serde_json::{Map, Value, json};
use todo_app::http::problem::{PROBLEM_CONTENT_TYPE, kind};

use super::described::reference;

/// The errors of the document: status, name, and when it is answered.
const STATUSES: [(u16, &str, &str); 11] = [
    (400, "BadRequest", "The input cannot be read or breaks a rule; `errors` names the fields."),
    (401, "Unauthorized", "Nobody has shown who they are; the `type` tells what is wrong with the token."),
    (403, "Forbidden", "An API token that may not do this."),
    (404, "NotFound", "It is not there, or not yours."),
    (409, "Conflict", "Others were faster, or it is there already. Nothing was changed."),
    (412, "PreconditionFailed", "The task has another version than `If-Match` names. Nothing was changed."),
    (413, "ContentTooLarge", "The body is longer than the path takes."),
    (415, "UnsupportedMediaType", "The body is of a media type that the path does not take."),
    (422, "UnprocessableContent", "The `Idempotency-Key` came before with another request."),
    (429, "TooManyRequests", "Too many requests, or too many bad sign-ins; `Retry-After` tells how long to wait."),
    (503, "ServiceUnavailable", "The store is away. Nothing is half done; try again after `Retry-After` seconds."),
];

/// The name of a status among the document's responses.
pub(super) fn name(status: u16) -> &'static str {
    let found = STATUSES.iter().find(|(known, _, _)| *known == status);
    found.map(|(_, name, _)| *name).expect("every status that an operation refuses with has a line in the table")
}

/// `components/responses`.
pub(super) fn responses() -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, name, description) in STATUSES {
        let mut headers = json!({ "X-Request-Id": reference("headers", "RequestId") });
        match status {
            401 | 403 => headers["WWW-Authenticate"] = reference("headers", "Challenge"),
            429 | 503 | 409 => headers["Retry-After"] = reference("headers", "RetryAfter"),
            _ => {}
        }
        let content = json!({ PROBLEM_CONTENT_TYPE: { "schema": reference("schemas", "Problem") } });
        responses
            .insert(name.to_owned(), json!({ "description": description, "headers": headers, "content": content }));
    }
    responses
}

/// Adds the types that there are to the schema of a problem.
pub(super) fn complete(schemas: &mut Map<String, Value>) {
    let types: Vec<String> = kind::ALL.iter().map(|kind| kind.uri()).collect();
    let problem = schemas.get_mut("Problem").expect("the answers name the schema of a problem");
    problem["properties"]["type"]["enum"] = json!(types);
    problem["properties"]["status"]["minimum"] = json!(400);
    problem["properties"]["status"]["maximum"] = json!(599);
}
