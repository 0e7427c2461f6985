//! The cookies of a page: out of reach of its scripts, sent with no other site's requests, and each to the paths that need
//! it alone.
//!
//! The one of streams is the access token, since `EventSource` sends no `Authorization`: it opens what reads and changes
//! nothing, for a quarter of an hour.

use http::{HeaderValue, header};
use todo_app::access::ACCESS_TOKEN_SECONDS;
use todo_app::accounts::{REFRESH_TOKEN_SECONDS, SignedIn};
use todo_app::http::{Request, Response, cookie, header_text};
use todo_app::updates::STREAM_COOKIE;

/// A cookie, and the only paths that it is sent to.
struct Cookie {
    name: &'static str,
    path: &'static str,
}

const REFRESH: Cookie = Cookie { name: "refresh", path: "/api/auth" };
const STREAM: Cookie = Cookie { name: STREAM_COOKIE, path: "/api/updates" };

/// The refresh token that a request carries; empty when it carries none.
pub(crate) fn read_refresh(request: &Request) -> String {
    cookie(request, REFRESH.name)
}

/// Sets the cookies of who has just signed in.
pub(crate) fn set(response: &mut Response, request: &Request, signed_in: &SignedIn) {
    if let Some(token) = &signed_in.refresh {
        write(response, request, &REFRESH, &token.text(), REFRESH_TOKEN_SECONDS);
    }
    write(response, request, &STREAM, &signed_in.access.token, ACCESS_TOKEN_SECONDS);
}

/// Takes the cookies away.
pub(crate) fn clear(response: &mut Response, request: &Request) {
    write(response, request, &REFRESH, "", 0);
    write(response, request, &STREAM, "", 0);
}

fn write(response: &mut Response, request: &Request, Cookie { name, path }: &Cookie, value: &str, seconds: i64) {
    let secure = if is_https(request) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::from_str(&text).expect("a token is visible ASCII");
    response.headers_mut().append(header::SET_COOKIE, value);
}

/// Whether the browser speaks TLS, to us or to the proxy before us.
fn is_https(request: &Request) -> bool {
    let forwarded =
        header_text(request, "x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let direct = header_text(request, "spin-full-url").is_some_and(|url| url.starts_with("https://"));
    forwarded || direct
}
