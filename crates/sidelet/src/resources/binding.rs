//! Components that are output bindings.

use http::{HeaderName, HeaderValue, Uri};
use lettre::transport::smtp::authentication::Credentials;
use tokio::sync::OnceCell;

use super::metadata::{Metadata, duration};
use crate::{
    bindings::{Defaults, HttpBinding, LIMIT, Output, Priority, SmtpBinding},
    error::StartError,
};

/// Longest body of an answer in bytes.
const RESPONSE: usize = 16 << 20;

const HTTP_KEYS: [&str; 7] = [
    "url",
    "errorIfNot2XX",
    "responseTimeout",
    "maxResponseBodySize",
    "securityToken",
    "securityTokenHeader",
    "direction",
];
const SMTP_KEYS: [&str; 12] = [
    "host",
    "port",
    "user",
    "password",
    "skipTLSVerify",
    "emailFrom",
    "emailTo",
    "emailCC",
    "emailBCC",
    "subject",
    "priority",
    "direction",
];

/// `bindings.http`
pub(super) fn http(mut metadata: Metadata<'_>) -> Result<Output, StartError> {
    direction(&mut metadata)?;
    let url = metadata.parse("url", "a URL such as `https://example.com/api`", |text| {
        let uri: Uri = text.parse().ok()?;
        let spoken =
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty());
        spoken.then(|| text.to_owned())
    })?;
    let url =
        url.ok_or_else(|| metadata.refuse("url", "is missing; expected a URL such as `https://example.com/api`"))?;
    let truth = |text: &str| text.to_ascii_lowercase().parse::<bool>().ok();
    let error_if_not_2xx = metadata.parse("errorIfNot2XX", "`true` or `false`", truth)?.unwrap_or(true);
    let response_timeout = metadata.parse("responseTimeout", "a duration such as `10s`", duration)?.unwrap_or(LIMIT);
    let max_response_body = metadata
        .parse("maxResponseBodySize", "a size such as `4Mi` or `500k`", |text| {
            crate::config::size(text).filter(|size| *size > 0)
        })?
        .unwrap_or(RESPONSE);
    let name = metadata.parse("securityTokenHeader", "the name of a header", |text| HeaderName::try_from(text).ok())?;
    let token = metadata.parse("securityToken", "what a header can hold", |text| {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    })?;
    let security = match (name, token) {
        (Some(name), Some(token)) => Some((name, token)),
        (None, None) => None,
        (None, Some(_)) => return Err(metadata.refuse("securityTokenHeader", "is missing; expected a header's name")),
        (Some(_), None) => return Err(metadata.refuse("securityToken", "is missing; expected it beside its header")),
    };
    metadata.finish(&[], &HTTP_KEYS)?;
    let client = OnceCell::new();
    Ok(Output::Http(HttpBinding { url, error_if_not_2xx, response_timeout, max_response_body, security, client }))
}

/// `bindings.smtp`
pub(super) fn smtp(mut metadata: Metadata<'_>) -> Result<Output, StartError> {
    direction(&mut metadata)?;
    let host = metadata.require("host", "a host such as `smtp.example.com`")?;
    let port = metadata.parse("port", "a port such as `587`", |text| text.parse().ok().filter(|port| *port > 0))?;
    let port = port.ok_or_else(|| metadata.refuse("port", "is missing; expected a port such as `587`"))?;
    let credentials = match (metadata.take("user"), metadata.take("password")) {
        (Some(user), Some(password)) => Some(Credentials::new(user, password)),
        (None, None) => None,
        (Some(_), None) => return Err(metadata.refuse("password", "is missing; expected it beside `user`")),
        (None, Some(_)) => return Err(metadata.refuse("user", "is missing; expected it beside `password`")),
    };
    let truth = |text: &str| text.to_ascii_lowercase().parse::<bool>().ok();
    let skip_tls_verify = metadata.parse("skipTLSVerify", "`true` or `false`", truth)?.unwrap_or(false);
    let priority = metadata.parse("priority", "a number from 1 to 5", Priority::parse)?.unwrap_or_default();
    let defaults = Defaults {
        from: metadata.take("emailFrom"),
        to: metadata.take("emailTo"),
        cc: metadata.take("emailCC"),
        bcc: metadata.take("emailBCC"),
        subject: metadata.take("subject"),
        priority,
    };
    metadata.finish(&[], &SMTP_KEYS)?;
    Ok(Output::Smtp(SmtpBinding { host, port, credentials, skip_tls_verify, defaults, transport: OnceCell::new() }))
}

/// These bindings have one direction.
fn direction(metadata: &mut Metadata<'_>) -> Result<(), StartError> {
    metadata.parse("direction", "`output`", |text| (text.trim() == "output").then_some(()))?;
    Ok(())
}
