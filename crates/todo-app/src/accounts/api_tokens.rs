//! API tokens: what programs open the API with. A token is shown once; its hash stands in the account.

use dapr::Transport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::{TimeZoneName, instant};
use uuid::Uuid;

use super::account::{self, Account};
use crate::{
    App,
    access::{ApiToken, Scope, User, digest, secret},
    fresh_id,
    http::problem::{Problem, kind},
    idempotency::IdempotencyKey,
};

/// API tokens of one account.
pub const MAX_API_TOKENS: usize = 50;

/// An API token, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredApiToken {
    id: Uuid,
    name: String,
    /// Words, so that those of a newer release are kept.
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(deserialize_with = "instant::read")]
    created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "instant::read")]
    expires_at: Option<Timestamp>,
    secret_hash: String,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What the service tells of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ApiToken"))]
pub struct ApiTokenBody {
    /// The token's id, to revoke it by.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// What it may do: `tasks:read`, `tasks:write`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops being accepted; never when null.
    pub expires_at: Option<Timestamp>,
    /// The token itself, in the answer that made it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it stops being accepted; never when `None`.
    pub expires_at: Option<Timestamp>,
}

/// Who holds a token, and what it may do.
#[derive(Debug)]
pub(crate) struct TokenHolder {
    pub(crate) user: User,
    /// What its owner calls the token.
    pub(crate) token_name: String,
    /// Words, so that those of a newer release are kept.
    pub(crate) scopes: Vec<String>,
}

/// The part of an account that a token is checked against.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Holder {
    #[serde(default)]
    time_zone: TimeZoneName,
    #[serde(default)]
    api_tokens: Vec<StoredApiToken>,
}

impl<T: Transport> App<T> {
    /// Makes an API token. The same write, numbered by its client, makes the same token.
    ///
    /// # Errors
    /// 400 when the account has [`MAX_API_TOKENS`].
    pub async fn create_api_token(
        &self,
        user: &User,
        new: &NewApiToken,
        key: Option<&IdempotencyKey>,
    ) -> Result<ApiTokenBody, Problem> {
        let fresh = key.map_or_else(secret, |key| self.settings.signing_key.derived_secret(&key.purpose()));
        let hash = digest(&fresh);
        let make = |account: &mut Account| {
            if let Some(made) = account.api_tokens.iter().find(|token| token.secret_hash == hash) {
                return Ok(made.clone());
            }
            account.api_tokens.retain(|token| !token.has_expired(self.now));
            if account.api_tokens.len() >= MAX_API_TOKENS {
                let message = format!("an account has at most {MAX_API_TOKENS} API tokens: revoke one first");
                return Err(Problem::invalid_field("name", message));
            }
            let made = StoredApiToken {
                id: fresh_id(),
                name: new.name.clone(),
                scopes: new.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                created_at: self.now,
                expires_at: new.expires_at,
                secret_hash: hash.clone(),
                other: Map::new(),
            };
            account.api_tokens.push(made.clone());
            Ok(made)
        };
        let (_, made) = self.change_account(user.id, make).await?;
        let token = ApiToken { user_id: user.id, id: made.id, secret: fresh }.text();
        Ok(ApiTokenBody { token: Some(token), ..made.body() })
    }

    /// The account's API tokens, the newest first, without their secrets.
    ///
    /// # Errors
    /// 401 when the account is gone.
    pub async fn api_tokens(&self, user: &User) -> Result<Vec<ApiTokenBody>, Problem> {
        let account = self.account(user).await?;
        Ok(account.api_tokens.iter().rev().map(StoredApiToken::body).collect())
    }

    /// Revokes one API token, or all of them. From this answer on they open nothing.
    ///
    /// # Errors
    /// 404 when there is no such token.
    pub async fn revoke_api_tokens(&self, user: &User, id: Option<Uuid>) -> Result<(), Problem> {
        let revoke = |account: &mut Account| {
            let before = account.api_tokens.len();
            account.api_tokens.retain(|token| id.is_some_and(|id| token.id != id));
            if id.is_some() && account.api_tokens.len() == before {
                return Err(Problem::not_found("There is no such API token."));
            }
            Ok(())
        };
        self.change_account(user.id, revoke).await.map(|_| ())
    }

    /// Whose token it is, and what it may do.
    ///
    /// # Errors
    /// 401 for a token that was revoked or has expired.
    pub(crate) async fn holder_of_api_token(&self, token: &ApiToken) -> Result<TokenHolder, Problem> {
        let revoked = || Problem::unauthorized(kind::TOKEN_REVOKED, "The API token was revoked: make another.");
        let (holder, _) = self.load_document::<Holder>(&account::key(token.user_id)).await?.ok_or_else(revoked)?;
        let shown = digest(&token.secret);
        let stored = holder.api_tokens.into_iter().find(|stored| stored.id == token.id && stored.secret_hash == shown);
        let stored = stored.ok_or_else(revoked)?;
        if stored.has_expired(self.now) {
            return Err(Problem::unauthorized(kind::TOKEN_EXPIRED, "The API token has expired: make another."));
        }
        let user = User { id: token.user_id, time_zone: holder.time_zone };
        Ok(TokenHolder { user, token_name: stored.name, scopes: stored.scopes })
    }
}

impl StoredApiToken {
    pub(crate) fn id(&self) -> Uuid {
        self.id
    }

    fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// What the service tells of it.
    pub fn body(&self) -> ApiTokenBody {
        let Self { id, name, scopes, created_at, expires_at, .. } = self.clone();
        ApiTokenBody { id, name, scopes, created_at, expires_at, token: None }
    }
}
