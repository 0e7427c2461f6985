//! Entity tags: a task's version in quotes.

use ::http::{HeaderValue, header};

use super::{
    Request, Response, header_text,
    problem::{Problem, kind},
};

/// Gives the answer the entity tag of a version.
pub fn tag(response: &mut Response, version: u64) {
    let value = HeaderValue::from_str(&format!("\"{version}\"")).expect("a number in quotes is a header value");
    response.headers_mut().insert(header::ETAG, value);
}

/// The version that `If-Match` asks for; `None` when any will do.
///
/// # Errors
/// 412 for a tag that no version can have (weak tags are for reading), 400 for several tags.
pub fn expected_version(request: &Request) -> Result<Option<u64>, Problem> {
    let mut given = request.headers().get_all(header::IF_MATCH).iter();
    let Some(value) = given.next() else { return Ok(None) };
    // A condition that cannot be read is not met.
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    if text.contains(',') || given.next().is_some() {
        return Err(Problem::invalid_field("If-Match", "send one entity tag, such as \"3\", or *"));
    }
    match version_of(text) {
        Some(version) => Ok(Some(version)),
        None => Err(Problem::new(412, kind::PRECONDITION_FAILED)
            .detail("If-Match is not an entity tag of a task: send the ETag of the task, such as \"3\".")),
    }
}

/// Whether `If-None-Match` says that the client has this version.
pub fn client_has(request: &Request, version: u64) -> bool {
    let Some(text) = header_text(request, header::IF_NONE_MATCH) else { return false };
    text.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || version_of(tag) == Some(version)
    })
}

/// The version whose tag this is, written as [`tag`] writes it.
fn version_of(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let is_written = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| is_written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &str) -> Request {
        ::http::Request::builder().header(name, value).body(Vec::new()).unwrap()
    }

    #[test]
    fn if_match_names_a_version_or_any() {
        assert_eq!(expected_version(&with(header::IF_MATCH, "\"3\"")).unwrap(), Some(3));
        assert_eq!(expected_version(&with(header::IF_MATCH, "*")).unwrap(), None);
        for (text, status) in [("3", 412), ("W/\"3\"", 412), ("\"x\"", 412), ("\"1\", \"2\"", 400)] {
            assert_eq!(expected_version(&with(header::IF_MATCH, text)).unwrap_err().status(), status, "{text}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        assert!(client_has(&with(header::IF_NONE_MATCH, "\"1\", W/\"3\""), 3));
        assert!(!client_has(&with(header::IF_NONE_MATCH, "\"1\""), 3));
    }
}
