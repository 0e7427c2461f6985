//! Which headers of a request and of an answer go on.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers that speak of one connection, as RFC 9110 lists them, and older ones that are still sent.
const HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const HOP_BY_NAME: [&str; 2] = ["keep-alive", "proxy-connection"];

/// Headers that a caller may not set, since they say who calls, or are a secret of the sidecar's.
const OURS: [&str; 5] =
    ["dapr-api-token", "dapr-app-id", "dapr-caller-app-id", "dapr-callee-app-id", "dapr-caller-namespace"];

/// Removes what speaks of one connection, and what the connection header names.
pub(super) fn strip_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP.iter().chain(&named) {
        headers.remove(name);
    }
    for name in HOP_BY_NAME {
        headers.remove(name);
    }
}

/// What an app gets. Length and host are set anew with the request, so that the caller's cannot contradict them.
pub(super) fn for_app(mut headers: HeaderMap, caller: &str, app: &str, token: Option<&HeaderValue>) -> HeaderMap {
    strip_hop(&mut headers);
    for name in [header::HOST, header::CONTENT_LENGTH, header::EXPECT] {
        headers.remove(name);
    }
    for name in OURS {
        headers.remove(name);
    }
    if app != caller
        && let (Ok(caller), Ok(app)) = (HeaderValue::from_str(caller), HeaderValue::from_str(app))
    {
        headers.insert("dapr-caller-app-id", caller);
        headers.insert("dapr-callee-app-id", app);
    }
    if let Some(token) = token {
        headers.insert("dapr-api-token", token.clone());
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_speaks_of_the_connection_or_of_the_caller_stays_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-mine"),
            ("x-mine", "1"),
            ("keep-alive", "5"),
            ("transfer-encoding", "chunked"),
            ("content-length", "7"),
            ("host", "elsewhere"),
            ("dapr-api-token", "secret"),
            ("dapr-caller-app-id", "somebody"),
            ("authorization", "Bearer x"),
            ("traceparent", "00-1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let token = HeaderValue::from_static("for the app");
        let sent = for_app(headers, "me", "other", Some(&token));
        let mut sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        sent.sort_unstable();
        let expected = [
            ("authorization", "Bearer x"),
            ("dapr-api-token", "for the app"),
            ("dapr-callee-app-id", "other"),
            ("dapr-caller-app-id", "me"),
            ("traceparent", "00-1"),
        ];
        assert_eq!(sent, expected);
    }
}
