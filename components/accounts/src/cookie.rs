//! The cookie of the refresh token: out of reach of the page's scripts, and sent to the routes that need it alone.

use http::{HeaderValue, header};
use todo_app::accounts::{REFRESH_TOKEN_SECONDS, RefreshToken};
use todo_app::http::{Request, Response, header_text};

const NAME: &str = "refresh";
const PATH: &str = "/api/auth";

/// The refresh token that a request carries; empty when it carries none.
pub(crate) fn read(request: &Request) -> String {
    let cookies = header_text(request, header::COOKIE).unwrap_or_default();
    let values = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    values.filter(|(name, _)| *name == NAME).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
}

/// Sets the cookie.
pub(crate) fn set(response: &mut Response, request: &Request, token: &RefreshToken) {
    write(response, request, &token.text(), REFRESH_TOKEN_SECONDS);
}

/// Takes the cookie away.
pub(crate) fn clear(response: &mut Response, request: &Request) {
    write(response, request, "", 0);
}

fn write(response: &mut Response, request: &Request, value: &str, seconds: i64) {
    let secure = if is_https(request) { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let value = HeaderValue::from_str(&text).expect("a token is visible ASCII");
    response.headers_mut().insert(header::SET_COOKIE, value);
}

/// Whether the browser speaks TLS, to us or to the proxy before us.
fn is_https(request: &Request) -> bool {
    let forwarded =
        header_text(request, "x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    let direct = header_text(request, "spin-full-url").is_some_and(|url| url.starts_with("https://"));
    forwarded || direct
}
