//! Reading JSON bodies.

use ::http::header;
use serde_json::{Map, Value};

use super::{
    Request, header_text,
    problem::{Problem, kind},
};

/// The media type of a body, lower-cased and without parameters; empty when the request names none.
pub fn media_type(request: &Request) -> String {
    let text = header_text(request, header::CONTENT_TYPE).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a body as JSON.
///
/// # Errors
/// 415 for another media type, 400 for what is not UTF-8 or not JSON, with the place.
pub fn json_value(request: &Request) -> Result<Value, Problem> {
    let media_type = media_type(request);
    if !(media_type.is_empty() || media_type == "application/json" || media_type.ends_with("+json")) {
        return Err(unsupported(&media_type, "application/json"));
    }
    parse_json(request.body())
}

/// Reads bytes as JSON.
///
/// # Errors
/// 400 for what is not UTF-8 or not JSON, with the place.
pub fn parse_json(bytes: &[u8]) -> Result<Value, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::malformed(format!(
            "The body is not UTF-8: the byte at {} is not part of a character.",
            error.valid_up_to()
        ))
    })?;
    if text.trim().is_empty() {
        return Err(Problem::malformed("The body is empty: send JSON."));
    }
    serde_json::from_str(text).map_err(|error| {
        Problem::malformed(format!("The body is not JSON: line {}, column {}.", error.line(), error.column()))
    })
}

/// Reads a body as a JSON object.
///
/// # Errors
/// As [`json_value`]; 400 for JSON that is no object.
pub fn json_object(request: &Request) -> Result<Map<String, Value>, Problem> {
    match json_value(request)? {
        Value::Object(object) => Ok(object),
        other => Err(Problem::malformed(format!("The body is JSON, but {} and not an object.", kind_of(&other)))),
    }
}

/// 415 with what is accepted.
pub fn unsupported(found: &str, accepted: &str) -> Problem {
    Problem::new(415, kind::UNSUPPORTED_MEDIA_TYPE)
        .detail(format!("`{}` is not accepted here: send {accepted}.", found.chars().take(64).collect::<String>()))
        .header("accept", accepted)
}

/// A JSON value's type, with its article, for messages.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
