//! Secrets that the service gives out once and keeps the hash of.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use todo_domain::UserId;
use uuid::Uuid;

/// 256 random bits as text.
pub(crate) fn secret() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the host has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256 as hexadecimal text.
pub(crate) fn digest(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What opens the API for a program, as its text says: whose it is, which one, and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Whose.
    pub user_id: UserId,
    /// Which one of the user's.
    pub id: Uuid,
    /// What only its holder knows.
    pub(crate) secret: String,
}

impl ApiToken {
    /// What every token's text begins with, so that people and programs that look for lost secrets know it.
    const PREFIX: &str = "todo_";

    /// Reads a token's text; `None` for what is no API token.
    pub fn parse(text: &str) -> Option<Self> {
        let (user_id, id, secret) = parts(text.strip_prefix(Self::PREFIX)?)?;
        Some(Self { user_id, id, secret })
    }

    /// The token's text.
    pub fn text(&self) -> String {
        format!("{}{}.{}.{}", Self::PREFIX, self.user_id, self.id, self.secret)
    }
}

/// A user, something of the user's, and its secret, with dots between.
pub(crate) fn parts(text: &str) -> Option<(UserId, Uuid, String)> {
    let mut parts = text.splitn(3, '.');
    let user_id = UserId::parse(parts.next()?).ok()?;
    let id = parts.next()?.parse().ok()?;
    let secret = parts.next().filter(|secret| !secret.is_empty() && secret.len() <= 64)?.to_owned();
    Some((user_id, id, secret))
}

/// The last part of a calendar feed's path: whose it is, and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSecret {
    /// Whose.
    pub user_id: UserId,
    /// What only its holders know.
    pub(crate) secret: String,
}

impl FeedSecret {
    /// A fresh one.
    pub(crate) fn new(user_id: UserId) -> Self {
        Self { user_id, secret: secret() }
    }

    /// Reads the last part of a path, without its `.ics`.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, secret) = text.split_once('.')?;
        let user_id = UserId::parse(user).ok()?;
        (!secret.is_empty() && secret.len() <= 64).then(|| Self { user_id, secret: secret.to_owned() })
    }

    /// Its text.
    pub fn text(&self) -> String {
        format!("{}.{}", self.user_id, self.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_out_reads_back_and_other_texts_do_not() {
        let user_id = UserId::new(crate::fresh_id());
        let token = ApiToken { user_id, id: crate::fresh_id(), secret: secret() };
        assert_eq!(ApiToken::parse(&token.text()), Some(token.clone()));
        let feed = FeedSecret::new(user_id);
        assert_eq!(FeedSecret::parse(&feed.text()), Some(feed));
        for text in ["", "todo_", "todo_a.b.c", &token.text()[1..], &format!("{}{}", token.text(), "x".repeat(64))] {
            assert_eq!(ApiToken::parse(text), None, "{text}");
        }
        assert_eq!(FeedSecret::parse(&user_id.to_string()), None);
    }
}
