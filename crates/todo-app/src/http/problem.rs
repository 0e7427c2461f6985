//! Problem details (RFC 9457): the one form of every error.

use ::http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use todo_domain::{FieldError, ValidationError};

use super::Response;

/// The media type of a problem.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// What a problem is about: its `type` and its `title`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The stable word that programs compare; the `type` is `urn:todo:problem:` and this.
    pub code: &'static str,
    /// For people, the same each time.
    pub title: &'static str,
}

/// Every kind of problem that the service answers.
pub mod kind {
    use super::Kind;

    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident = $code:literal, $title:literal;)*) => {
            $($(#[$doc])* pub const $name: Kind = Kind { code: $code, title: $title };)*
            /// All of them, for documentation.
            pub const ALL: &[Kind] = &[$($name),*];
        };
    }

    kinds! {
        /// The input breaks a rule; `errors` names the fields.
        INVALID = "invalid-input", "The input is not valid";
        /// The body cannot be read at all.
        MALFORMED = "malformed-body", "The body cannot be read";
        /// No access token.
        TOKEN_MISSING = "token-missing", "Sign in first";
        /// An access token that is none.
        TOKEN_MALFORMED = "token-malformed", "The access token cannot be read";
        /// An access token that is too old.
        TOKEN_EXPIRED = "token-expired", "The access token has expired";
        /// An access token that someone else signed.
        TOKEN_SIGNATURE = "token-signature", "The access token was not signed here";
        /// An API token that is no more.
        TOKEN_REVOKED = "token-revoked", "The API token was revoked";
        /// An API token that may not do this.
        INSUFFICIENT_SCOPE = "insufficient-scope", "The API token does not allow this";
        /// Wrong e-mail or password.
        BAD_CREDENTIALS = "bad-credentials", "E-mail or password is wrong";
        /// No session that could be refreshed.
        SESSION_GONE = "session-gone", "The session has ended";
        /// A call that only the sidecar may make.
        NOT_THE_SIDECAR = "not-the-sidecar", "Only the sidecar may call this";
        /// Nothing there, or not yours.
        NOT_FOUND = "not-found", "Not found";
        /// A method that the path does not know.
        METHOD_NOT_ALLOWED = "method-not-allowed", "The path does not know this method";
        /// Another write was first.
        CONFLICT = "conflict", "Others were faster";
        /// The e-mail address has an account.
        ACCOUNT_EXISTS = "account-exists", "There is an account already";
        /// The entity tag is not the current one.
        PRECONDITION_FAILED = "precondition-failed", "The task has changed";
        /// The body is longer than the route takes.
        TOO_LARGE = "body-too-large", "The body is too large";
        /// The body is of a kind that the route does not take.
        UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", "The body's media type is not accepted";
        /// The `Idempotency-Key` was another request's.
        IDEMPOTENCY_KEY_USED = "idempotency-key-used", "The idempotency key was used for another request";
        /// Too many tries.
        TOO_MANY_REQUESTS = "too-many-requests", "Too many requests";
        /// The list holds as many tasks as it can.
        LIST_FULL = "list-full", "The list is full";
        /// The store is away.
        UNAVAILABLE = "unavailable", "The service is not available";
        /// A fault of ours.
        INTERNAL = "internal", "Internal error";
    }
}

impl Kind {
    /// The `type` of a problem.
    pub fn uri(&self) -> String {
        format!("urn:todo:problem:{}", self.code)
    }
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Problem"))]
pub struct ProblemBody<'a> {
    /// What programs compare.
    pub r#type: String,
    /// For people, the same for each type.
    pub title: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong this time, and what to do.
    pub detail: &'a str,
    /// The fields that were refused; empty when the problem is of no field.
    pub errors: &'a [FieldError],
    /// The same as `detail`, for older clients.
    pub message: &'a str,
}

/// An error as the client sees it.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(status: u16, kind: Kind) -> Self {
        let status = StatusCode::from_u16(status).expect("problems have statuses from 400 to 599");
        Self { status, kind, detail: String::new(), errors: Vec::new(), headers: Vec::new() }
    }

    /// Says what to do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds a header to the answer. A value with control characters is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// 400 with every refused field.
    pub fn invalid(error: ValidationError) -> Self {
        let detail = error.to_string();
        Self { errors: error.errors, ..Self::new(400, kind::INVALID).detail(detail) }
    }

    /// 400 for one field.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(ValidationError::of(field, message))
    }

    /// 400 for a body that cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, kind::MALFORMED).detail(detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, kind::NOT_FOUND).detail(detail)
    }

    /// 401, with the challenge that RFC 6750 asks for.
    pub fn unauthorized(kind: Kind, detail: impl Into<String>) -> Self {
        let challenge = if kind == kind::TOKEN_MISSING { "Bearer" } else { "Bearer error=\"invalid_token\"" };
        Self::new(401, kind).detail(detail).header("www-authenticate", challenge)
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What to do, or what the problem is.
    pub fn message(&self) -> &str {
        if self.detail.is_empty() { self.kind.title } else { &self.detail }
    }

    /// The answer itself.
    pub fn into_response(self) -> Response {
        let detail = self.message();
        let body = ProblemBody {
            r#type: self.kind.uri(),
            title: self.kind.title,
            status: self.status.as_u16(),
            detail,
            errors: &self.errors,
            message: detail,
        };
        let mut response = super::json(self.status, &body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_CONTENT_TYPE));
        response.headers_mut().extend(self.headers);
        response
    }
}
