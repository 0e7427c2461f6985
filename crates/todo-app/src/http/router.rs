//! Routes: a table of method, path and operation.

use ::http::{Method, StatusCode};

use super::{
    Response, empty,
    problem::{Problem, kind},
};

/// The bytes that a body may have unless a route says otherwise.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// One line of a component's table.
#[derive(Debug, Clone)]
pub struct Route<O> {
    /// `GET` serves `HEAD` too.
    pub method: Method,
    /// Segments divided by `/`; one in braces matches any text.
    pub path: &'static str,
    /// What it does.
    pub operation: O,
    /// Bytes that the body may have.
    pub body_limit: usize,
}

impl<O> Route<O> {
    /// A route with the default bound on its body.
    pub const fn new(method: Method, path: &'static str, operation: O) -> Self {
        Self { method, path, operation, body_limit: DEFAULT_BODY_LIMIT }
    }

    /// Lets the body have up to `bytes`.
    #[must_use]
    pub const fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }
}

/// What the table says of a request.
#[derive(Debug)]
pub enum Found<O> {
    /// An operation, with the text of each segment in braces, and the bound on the body.
    Operation(O, Vec<String>, usize),
    /// `OPTIONS`, answered from the table.
    Options(Response),
}

/// Finds the route of a request. A slash at the end makes no difference.
///
/// # Errors
/// 404 for a path, 405 with `Allow` for a method that is not in the table.
pub fn find<O: Copy>(routes: &[Route<O>], method: &Method, path: &str) -> Result<Found<O>, Problem> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let all = || routes.iter().filter_map(|route| Some((route, capture(route.path, &segments)?)));
    // The first path that matches is the one that is meant, whatever the method.
    let meant = all().next().map(|(route, _)| route.path);
    let matching = || all().filter(|(route, _)| Some(route.path) == meant);
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    if let Some((route, captured)) = matching().find(|(route, _)| route.method == *wanted) {
        return Ok(Found::Operation(route.operation, captured, route.body_limit));
    }
    let mut allowed: Vec<&str> = matching().map(|(route, _)| route.method.as_str()).collect();
    if allowed.is_empty() {
        return Err(Problem::not_found("There is nothing at this path."));
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    allowed.push("OPTIONS");
    let allowed = allowed.join(", ");
    if method == Method::OPTIONS {
        let mut response = empty(StatusCode::NO_CONTENT);
        if let Ok(value) = allowed.parse() {
            response.headers_mut().insert(::http::header::ALLOW, value);
        }
        return Ok(Found::Options(response));
    }
    Err(Problem::new(405, kind::METHOD_NOT_ALLOWED)
        .detail(format!("This path answers {allowed}."))
        .header("allow", allowed))
}

/// The texts of the segments in braces, without what stands behind the braces, when the path matches. A literal segment wins over braces by standing first in
/// the table.
fn capture(pattern: &str, segments: &[&str]) -> Option<Vec<String>> {
    let mut captured = Vec::new();
    let mut rest = segments.iter();
    for expected in pattern.split('/') {
        let found = rest.next()?;
        if let Some((_, suffix)) = expected.split_once('}') {
            let text = percent_decode(found.strip_suffix(suffix)?)?;
            if text.is_empty() {
                return None;
            }
            captured.push(text);
        } else if expected != *found {
            return None;
        }
    }
    rest.next().is_none().then_some(captured)
}

/// Decodes `%xx`; `None` when the result is not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[Route<u8>] = &[
        Route::new(Method::GET, "/api/tasks", 1),
        Route::new(Method::GET, "/api/tasks/search", 2),
        Route::new(Method::GET, "/api/tasks/{id}", 3),
        Route::new(Method::PATCH, "/api/tasks/{id}", 4),
        Route::new(Method::GET, "/api/calendar/{secret}.ics", 5),
    ];

    fn operation(method: Method, path: &str) -> Result<(u8, Vec<String>), u16> {
        match find(ROUTES, &method, path) {
            Ok(Found::Operation(operation, captured, _)) => Ok((operation, captured)),
            Ok(Found::Options(response)) => Err(response.status().as_u16()),
            Err(problem) => Err(problem.status().as_u16()),
        }
    }

    #[test]
    fn a_path_finds_its_operation_with_or_without_a_slash_at_its_end() {
        assert_eq!(operation(Method::GET, "/api/tasks/"), Ok((1, vec![])));
        assert_eq!(operation(Method::HEAD, "/api/tasks"), Ok((1, vec![])));
        assert_eq!(operation(Method::GET, "/api/tasks/search"), Ok((2, vec![])));
        assert_eq!(operation(Method::PATCH, "/api/tasks/a%2Fb"), Ok((4, vec!["a/b".to_owned()])));
        assert_eq!(operation(Method::GET, "/api/calendar/a.b.ics"), Ok((5, vec!["a.b".to_owned()])));
    }

    #[test]
    fn what_is_not_in_the_table_is_404_and_a_wrong_method_is_405() {
        assert_eq!(operation(Method::GET, "/api/tasks/1/2"), Err(404));
        assert_eq!(operation(Method::GET, "/api/tasks/%ff"), Err(404));
        assert_eq!(operation(Method::GET, "/api/calendar/a"), Err(404));
        assert_eq!(operation(Method::GET, "/api/calendar/.ics"), Err(404));
        assert_eq!(operation(Method::DELETE, "/api/tasks"), Err(405));
        assert_eq!(operation(Method::OPTIONS, "/api/tasks"), Err(204));
        // `search` is no id.
        assert_eq!(operation(Method::PATCH, "/api/tasks/search"), Err(405));
    }
}
