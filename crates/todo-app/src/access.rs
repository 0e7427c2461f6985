//! Who is asking: access tokens.
//!
//! An access token is a JWT signed with HMAC-SHA256, valid for a quarter of an hour.
//! It carries what every request needs, so that a request costs no read of the account.

use ::http::header;
use jiff::Timestamp;
use jwt_compact::{
    AlgorithmExt, Claims, Header, UntrustedToken, ValidationError,
    alg::{Hs256, Hs256Key},
};
use serde::{Deserialize, Serialize};
use todo_domain::{TimeZoneName, UserId};

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
pub struct SigningKey(Hs256Key);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// Takes a key's text; `None` when it is shorter than [`SIGNING_KEY_MIN`].
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() >= SIGNING_KEY_MIN).then(|| Self(Hs256Key::new(text.as_bytes())))
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

#[derive(Serialize, Deserialize)]
struct AccessClaims {
    #[serde(rename = "sub")]
    subject: UserId,
    #[serde(rename = "zoneinfo")]
    time_zone: TimeZoneName,
}

/// An access token and when it ends.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The JWT.
    pub token: String,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
}

/// Makes an access token for a user.
pub fn issue(key: &SigningKey, user: &User, now: Timestamp) -> AccessToken {
    let seconds = now.as_second() + ACCESS_TOKEN_SECONDS;
    let expires_at = Timestamp::from_second(seconds).expect("a quarter of an hour from now is a time");
    let mut claims = Claims::new(AccessClaims { subject: user.id, time_zone: user.time_zone.clone() });
    claims.issued_at = chrono::DateTime::from_timestamp(now.as_second(), 0);
    claims.expiration = chrono::DateTime::from_timestamp(seconds, 0);
    let token = Hs256.token(&Header::empty(), &claims, &key.0).expect("the claims are JSON");
    AccessToken { token, expires_at }
}

/// The user of a request's `Authorization: Bearer` token.
///
/// # Errors
/// 401, with a type of its own for a missing, malformed, expired and wrongly signed token.
pub fn authenticate(key: &SigningKey, request: &Request, now: Timestamp) -> Result<User, Problem> {
    let missing = || Problem::unauthorized(kind::TOKEN_MISSING, "Send `Authorization: Bearer` with an access token.");
    let malformed = || Problem::unauthorized(kind::TOKEN_MALFORMED, "The access token is not one of this service's.");
    let text = header_text(request, header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let token = UntrustedToken::new(token.trim()).map_err(|_| malformed())?;
    let token = Hs256.validator::<AccessClaims>(&key.0).validate(&token).map_err(|error| match error {
        ValidationError::InvalidSignature | ValidationError::MalformedSignature(_) => {
            Problem::unauthorized(kind::TOKEN_SIGNATURE, "The access token was not signed by this service: sign in.")
        }
        _ => malformed(),
    })?;
    let claims = token.claims();
    let expires_at = claims.expiration.ok_or_else(malformed)?;
    if expires_at.timestamp() <= now.as_second() {
        return Err(Problem::unauthorized(kind::TOKEN_EXPIRED, "The access token has expired: refresh it or sign in."));
    }
    Ok(User { id: claims.custom.subject, time_zone: claims.custom.time_zone.clone() })
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
        let token = issue(&key("a"), &user, now);
        let request = asking(&format!("Bearer {}", token.token));
        assert_eq!(authenticate(&key("a"), &request, now).unwrap(), user);
        assert_eq!(problem_of(&request, token.expires_at), "token-expired");
    }

    #[test]
    fn each_fault_of_a_token_has_its_own_type() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let user = User { id: UserId::new(crate::fresh_id()), time_zone: TimeZoneName::utc() };
        let foreign = issue(&key("b"), &user, now).token;
        assert_eq!(problem_of(&asking(&format!("bearer {foreign}")), now), "token-signature");
        assert_eq!(problem_of(&asking("Bearer abc"), now), "token-malformed");
        assert_eq!(problem_of(&asking("Basic abc"), now), "token-missing");
        assert_eq!(problem_of(&::http::Request::new(Vec::new()), now), "token-missing");
    }
}
