//! Calls from pages of other origins (the Fetch standard's CORS protocol).

use ::http::{HeaderMap, HeaderValue, header};

use super::Response;

/// Headers that a page may send.
const ALLOWED_HEADERS: &str =
    "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, x-request-id";
/// Headers of answers that a page may read, beside those that it always may.
const EXPOSED_HEADERS: &str =
    "etag, idempotent-replayed, link, location, retry-after, x-request-id, x-total-count, x-unread-count";
/// Seconds for which a browser remembers what it may do.
const MAX_AGE: &str = "3600";

/// Whether a request's page may call, by the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// The request is from no page, or from none that may.
    Refused,
    /// Any page may, without cookies.
    Any,
    /// This page's origin may, with cookies.
    Origin(HeaderValue),
}

impl Cors {
    /// Looks a request's `Origin` up in a list of origins with commas between, in which `*` stands for any.
    pub fn of(allowed: &str, headers: &HeaderMap) -> Self {
        let Some(origin) = headers.get(header::ORIGIN) else { return Self::Refused };
        let mut any = false;
        for entry in allowed.split(',').map(|entry| entry.trim().trim_end_matches('/')) {
            if !entry.is_empty() && origin.as_bytes().eq_ignore_ascii_case(entry.as_bytes()) {
                return Self::Origin(origin.clone());
            }
            any |= entry == "*";
        }
        if any { Self::Any } else { Self::Refused }
    }

    /// Tells the browser what this answer allows. `list` is the operator's list: where there is one, answers differ by
    /// origin, and caches have to know.
    pub fn mark(&self, response: &mut Response, list: &str) {
        let preflight = response.headers().get(header::ALLOW).cloned();
        let headers = response.headers_mut();
        if !list.trim().is_empty() {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let origin = match self {
            Self::Refused => return,
            Self::Any => HeaderValue::from_static("*"),
            Self::Origin(origin) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
                origin.clone()
            }
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
        // Only an answer to OPTIONS, and to a method that the path does not know, says what the path allows.
        if let Some(methods) = preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str, list: &str) -> Cors {
        Cors::of(list, &HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]))
    }

    #[test]
    fn an_origin_is_allowed_by_its_whole_name_or_by_a_star() {
        let list = "https://todo.example.com, http://localhost:5173/";
        assert!(matches!(from("https://todo.example.com", list), Cors::Origin(_)));
        assert!(matches!(from("http://localhost:5173", list), Cors::Origin(_)));
        for origin in ["http://todo.example.com", "https://todo.example.com.evil.example", "null", "", "*"] {
            assert_eq!(from(origin, list), Cors::Refused, "{origin}");
        }
        assert_eq!(from("https://todo.example.com", ""), Cors::Refused);
        assert_eq!(from("https://a.example", "*"), Cors::Any);
        assert_eq!(Cors::of("*", &HeaderMap::new()), Cors::Refused);
    }

    #[test]
    fn a_preflight_tells_methods_and_headers_and_a_refused_one_tells_nothing() {
        let allow = || {
            let mut response = super::super::empty(::http::StatusCode::NO_CONTENT);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            response
        };
        let mut response = allow();
        from("https://a.example", "https://a.example").mark(&mut response, "https://a.example");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD, OPTIONS");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        let mut response = allow();
        from("https://b.example", "https://a.example").mark(&mut response, "https://a.example");
        assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(response.headers()[header::VARY], "origin");
    }
}
