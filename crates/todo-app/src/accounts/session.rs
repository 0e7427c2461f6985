//! Sessions: refresh tokens that change with every use.
//!
//! Only a hash of a token is stored. A token that comes a second time was copied, and its session ends; but for a few
//! seconds the one before is taken too, since two pages of one browser may refresh at once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::{UserId, instant};
use uuid::Uuid;

use super::account::Account;
use crate::{
    access::{digest, parts, secret},
    fresh_id,
};

/// Seconds after its last use for which a session lasts: 30 days.
pub const REFRESH_TOKEN_SECONDS: i64 = 30 * 24 * 60 * 60;
/// Seconds for which the token before the present one is taken.
const GRACE_SECONDS: i64 = 10;
/// Sessions of one account; the longest unused ends when there would be more.
const MAX_SESSIONS: usize = 20;

/// Where a user is signed in, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    id: Uuid,
    /// The hash of the present token's secret.
    secret_hash: String,
    /// The hash of the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_hash: Option<String>,
    #[serde(deserialize_with = "instant::read")]
    rotated_at: Timestamp,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What a user sees of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Session"))]
pub struct SessionBody {
    /// The session.
    pub id: Uuid,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
}

/// What a client shows to get a new access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose.
    pub user_id: UserId,
    pub(super) session: Uuid,
    secret: String,
}

impl RefreshToken {
    /// Reads a token's text.
    pub fn parse(text: &str) -> Option<Self> {
        let (user_id, session, secret) = parts(text)?;
        Some(Self { user_id, session, secret })
    }

    /// The token's text, for a cookie.
    pub fn text(&self) -> String {
        format!("{}.{}.{}", self.user_id, self.session, self.secret)
    }
}

/// What came of a refresh.
#[derive(Debug)]
pub(super) enum Renewal {
    /// The token to use from now on.
    Rotated(RefreshToken),
    /// Another page of the same browser was faster; its token is the one to use.
    JustRotated,
    /// There is no such session, or no longer.
    Gone,
}

impl Account {
    /// Signs the user in at one more place.
    pub(super) fn begin_session(&mut self, now: Timestamp) -> RefreshToken {
        self.sessions.retain(|session| !session.has_ended(now));
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let token = RefreshToken { user_id: self.id, session: fresh_id(), secret: secret() };
        self.sessions.push(Session {
            id: token.session,
            secret_hash: digest(&token.secret),
            previous_hash: None,
            rotated_at: now,
            other: Map::new(),
        });
        token
    }

    /// Takes a token and gives the next, or ends the session when the token was used before.
    pub(super) fn renew_session(&mut self, token: &RefreshToken, now: Timestamp) -> Renewal {
        let Some(position) = self.sessions.iter().position(|session| session.id == token.session) else {
            return Renewal::Gone;
        };
        let mut session = self.sessions.remove(position);
        let shown = digest(&token.secret);
        if session.has_ended(now) {
            return Renewal::Gone;
        }
        if session.secret_hash != shown {
            let just_rotated = session.previous_hash.as_ref() == Some(&shown)
                && now.as_second() - session.rotated_at.as_second() <= GRACE_SECONDS;
            if just_rotated {
                self.sessions.insert(position, session);
                return Renewal::JustRotated;
            }
            return Renewal::Gone;
        }
        let next = RefreshToken { secret: secret(), ..token.clone() };
        session.previous_hash = Some(std::mem::replace(&mut session.secret_hash, digest(&next.secret)));
        session.rotated_at = now;
        self.sessions.push(session);
        Renewal::Rotated(next)
    }

    /// Signs the user out where this token is from. Only who knows the secret can.
    pub(super) fn end_session(&mut self, token: &RefreshToken) {
        let shown = digest(&token.secret);
        self.sessions.retain(|session| session.id != token.session || session.secret_hash != shown);
    }

    pub(super) fn end_all_sessions(&mut self) {
        self.sessions.clear();
    }
}

impl Session {
    /// What the user sees.
    pub fn body(&self) -> SessionBody {
        SessionBody { id: self.id, refreshed_at: self.rotated_at }
    }

    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    fn has_ended(&self, now: Timestamp) -> bool {
        now.as_second() - self.rotated_at.as_second() > REFRESH_TOKEN_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use todo_domain::TimeZoneName;

    use super::*;

    fn account(now: Timestamp) -> Account {
        Account::new(UserId::new(fresh_id()), "a@b.c".into(), "A".into(), TimeZoneName::utc(), now)
    }

    fn after(now: Timestamp, seconds: i64) -> Timestamp {
        Timestamp::from_second(now.as_second() + seconds).unwrap()
    }

    #[test]
    fn a_token_that_was_used_before_ends_its_session() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut account = account(now);
        let first = account.begin_session(now);
        let Renewal::Rotated(second) = account.renew_session(&first, now) else { panic!("the first token is good") };
        assert!(matches!(account.renew_session(&first, after(now, 5)), Renewal::JustRotated));
        assert!(matches!(account.renew_session(&first, after(now, 60)), Renewal::Gone));
        assert!(matches!(account.renew_session(&second, after(now, 61)), Renewal::Gone));
    }

    #[test]
    fn a_session_ends_after_thirty_unused_days_and_by_signing_out() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut account = account(now);
        let token = account.begin_session(now);
        assert!(matches!(account.renew_session(&token, after(now, REFRESH_TOKEN_SECONDS + 1)), Renewal::Gone));
        let token = account.begin_session(now);
        account.end_session(&RefreshToken { secret: "x".into(), ..token.clone() });
        assert_eq!(account.sessions.len(), 1);
        account.end_session(&token);
        assert!(account.sessions.is_empty());
    }

    #[test]
    fn sessions_are_bounded_and_a_token_reads_back() {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut account = account(now);
        let tokens: Vec<_> = (0..=MAX_SESSIONS).map(|_| account.begin_session(now)).collect();
        assert_eq!(account.sessions.len(), MAX_SESSIONS);
        assert_eq!(RefreshToken::parse(&tokens[0].text()), Some(tokens[0].clone()));
        assert_eq!(RefreshToken::parse("a.b.c"), None);
    }
}
