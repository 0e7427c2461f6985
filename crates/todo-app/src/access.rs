//! Who is asking: access tokens.
//!
//! An access token is a JWT signed with HMAC-SHA256, valid for a quarter of an hour.
//! It carries what every request needs, so that a request costs no read of the account.

mod grant;
mod secret;

use ::http::header;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use todo_domain::{TimeZoneName, UserId};
use uuid::Uuid;

pub use self::grant::{Scope, Writer};
pub use self::secret::{ApiToken, FeedSecret};
pub(crate) use self::secret::{digest, parts, secret};
use crate::http::{
    Request, header_text,
    problem::{Problem, kind},
};

/// Seconds for which an access token is valid.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;
/// Characters that a signing key has at least: as many bytes as the hash gives (RFC 7518, 3.2).
pub const SIGNING_KEY_MIN: usize = 32;

/// The key of access tokens. Its text is never printed.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// Takes a key's text; `None` when it is shorter than [`SIGNING_KEY_MIN`].
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() < SIGNING_KEY_MIN {
            return None;
        }
        Hmac::new_from_slice(text.as_bytes()).ok().map(Self)
    }

    /// A secret that is the same each time for the same purpose, and that only this key can make.
    pub(crate) fn derived_secret(&self, purpose: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derived_bytes(purpose))
    }

    /// As [`SigningKey::derived_secret`], as bytes.
    pub(crate) fn derived_bytes(&self, purpose: &str) -> [u8; 32] {
        self.over(purpose).finalize().into_bytes().into()
    }

    /// The key's state after a text, such as a token's header and claims.
    fn over(&self, signed: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(signed)
    }
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// The zone of the user's days.
    pub time_zone: TimeZoneName,
}

/// The header of every token, encoded: `{"alg":"HS256"}`. It is compared and never read, so that no token chooses its algorithm.
const HEADER: &str = "eyJhbGciOiJIUzI1NiJ9";

/// Bytes of a signature: those of the hash.
const SIGNATURE_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// Seconds since 1970.
    #[serde(rename = "exp")]
    expires_at: i64,
    #[serde(rename = "iat")]
    issued_at: i64,
    #[serde(rename = "sub")]
    subject: UserId,
    #[serde(rename = "zoneinfo")]
    time_zone: TimeZoneName,
    /// The session; absent in tokens of the first release.
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    session: Option<Uuid>,
}

/// What an access token says.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) user: User,
    /// The session that it was given in; tokens of the first release do not say.
    pub(crate) session: Option<Uuid>,
    pub(crate) expires_at: Timestamp,
}

/// An access token and when it ends.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

/// Makes an access token for a user, in a session.
pub fn issue(key: &SigningKey, user: &User, session: Option<Uuid>, now: Timestamp) -> AccessToken {
    let seconds = now.as_second() + ACCESS_TOKEN_SECONDS;
    let expires_at = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let time_zone = user.time_zone.clone();
    let claims = Claims { expires_at: seconds, issued_at: now.as_second(), subject: user.id, time_zone, session };
    let claims = serde_json::to_vec(&claims).expect("the claims are JSON");
    let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.over(&signed).finalize().into_bytes());
    let token = format!("{signed}.{signature}");
    AccessToken { token, expires_at }
}

/// The text of a request's `Authorization: Bearer` token.
///
/// # Errors
/// 401 when there is none.
pub(crate) fn bearer(request: &Request) -> Result<&str, Problem> {
    let missing = || Problem::unauthorized(kind::TOKEN_MISSING, "Send `Authorization: Bearer` with an access token.");
    let text = header_text(request, header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text, ""));
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

/// The user of a request's access token.
///
/// # Errors
/// 401, with a type of its own for a missing, malformed, expired and wrongly signed token.
pub fn authenticate(key: &SigningKey, request: &Request, now: Timestamp) -> Result<User, Problem> {
    Ok(opened(key, bearer(request)?, now)?.user)
}

/// What an access token says that is valid now.
///
/// # Errors
/// As [`authenticate`].
pub(crate) fn opened(key: &SigningKey, token: &str, now: Timestamp) -> Result<Opened, Problem> {
    let claims = verified(key, token)?;
    if claims.expires_at <= now.as_second() {
        return Err(Problem::unauthorized(kind::TOKEN_EXPIRED, "The access token has expired: refresh it or sign in."));
    }
    let expires_at = Timestamp::from_second(claims.expires_at).unwrap_or(Timestamp::MAX);
    Ok(Opened { user: User { id: claims.subject, time_zone: claims.time_zone }, session: claims.session, expires_at })
}

/// The claims of a token that this key has signed.
fn verified(key: &SigningKey, token: &str) -> Result<Claims, Problem> {
    let malformed = || Problem::unauthorized(kind::TOKEN_MALFORMED, "The access token is not one of this service's.");
    let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let claims = signed.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('.')).ok_or_else(malformed)?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed());
    let (claims, signature) = (bytes(claims)?, bytes(signature)?);
    let claims =
        String::from_utf8(claims).ok().and_then(|text| serde_json::from_str(&text).ok()).ok_or_else(malformed)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(malformed());
    }
    match key.over(signed).verify_slice(&signature) {
        Ok(()) => Ok(claims),
        Err(_) => Err(Problem::unauthorized(
            kind::TOKEN_SIGNATURE,
            "The access token was not signed by this service: sign in.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: &str) -> SigningKey {
        SigningKey::parse(&fill.repeat(SIGNING_KEY_MIN)).unwrap()
    }

    fn asking(authorization: &str) -> Request {
        ::http::Request::builder().header("authorization", authorization).body(Vec::new()).unwrap()
    }

    fn problem_of(request: &Request, now: Timestamp) -> String {
        let problem = authenticate(&key("a"), request, now).unwrap_err();
        assert_eq!(problem.status(), 401);
        let body: serde_json::Value = serde_json::from_slice(problem.into_response().body()).unwrap();
        body["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }

    #[test]
    fn a_token_names_its_user_until_it_expires() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let user = User { id: UserId::new(crate::fresh_id()), time_zone: TimeZoneName::parse("Asia/Tokyo").unwrap() };
        let session = Some(crate::fresh_id());
        let token = issue(&key("a"), &user, session, now);
        let request = asking(&format!("Bearer {}", token.token));
        assert_eq!(authenticate(&key("a"), &request, now).unwrap(), user);
        let opened = opened(&key("a"), &token.token, now).unwrap();
        assert_eq!((opened.session, opened.expires_at), (session, token.expires_at));
        assert_eq!(problem_of(&request, token.expires_at), "token-expired");
    }

    /// Compared with a token that Python's `hmac` and `base64` made.
    #[test]
    fn a_token_has_the_form_that_other_programs_read() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let id = UserId::parse("0190163d-8694-739b-aea5-966c26f8ad91").unwrap();
        let token = issue(&key("a"), &User { id, time_zone: TimeZoneName::utc() }, None, now).token;
        let expected = [
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJleHAiOjE3NzIzNTY1MDAsImlhdCI6MTc3MjM1NTYwMCwic3ViIjoiMDE5MDE2M2QtODY5NC03MzliLWFlYTUtOTY2YzI2ZjhhZDkxIiwiem9uZWluZm8iOiJVVEMifQ",
            "lMxBK-ipXqIlSUUeNTPQyMgR41gaxQpYHws9z1Nn3uo",
        ];
        assert_eq!(token.split('.').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_fault_of_a_token_has_its_own_type() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let user = User { id: UserId::new(crate::fresh_id()), time_zone: TimeZoneName::utc() };
        let foreign = issue(&key("b"), &user, None, now).token;
        assert_eq!(problem_of(&asking(&format!("bearer {foreign}")), now), "token-signature");
        assert_eq!(problem_of(&asking("Bearer abc"), now), "token-malformed");
        // `{"alg":"none"}`, and another header over a good signature.
        let (_, rest) = foreign.split_once('.').unwrap();
        assert_eq!(problem_of(&asking(&format!("Bearer eyJhbGciOiJub25lIn0.{rest}")), now), "token-malformed");
        let (signed, _) = foreign.rsplit_once('.').unwrap();
        assert_eq!(problem_of(&asking(&format!("Bearer {signed}.")), now), "token-malformed");
        assert_eq!(problem_of(&asking("Basic abc"), now), "token-missing");
        assert_eq!(problem_of(&::http::Request::new(Vec::new()), now), "token-missing");
    }
}
