//! Who listens, by what, and for how long.

use ::http::header;
use dapr::Transport;
use jiff::Timestamp;
use serde::Deserialize;
use todo_domain::instant;
use uuid::Uuid;

use super::{UpdatesIndex, ring};
use crate::{
    App,
    access::{ACCESS_TOKEN_SECONDS, ApiToken, User, bearer, opened},
    accounts::{self, session_gone},
    failure::Failure,
    http::{
        Request, cookie,
        problem::{Problem, kind},
    },
};

/// The cookie that opens a stream to pages, whose `EventSource` sends no other header: the access token itself.
///
/// It is out of reach of scripts (`HttpOnly`), is sent with the path of streams alone, which only reads, and never with
/// a request that another site makes (`SameSite=Strict`); it ends with the token, within a quarter of an hour.
pub const STREAM_COOKIE: &str = "updates";

/// Someone who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Who.
    pub(super) user: User,
    pub(super) credential: Credential,
    expires_at: Timestamp,
}

/// What a stream was opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// An access token of a session; tokens of earlier releases do not say which.
    Session(Option<Uuid>),
    /// An API token.
    ApiToken(Uuid),
}

/// Whether a listener may go on.
pub(super) enum Stay {
    /// Up to the ring's event of this number, for now.
    Until(u64),
    /// The session or the API token has ended.
    SignedOut,
    /// The account is gone.
    Gone,
}

/// The part of an account that a listener is checked against.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Doors {
    #[serde(default)]
    sessions: Vec<Door>,
    #[serde(default)]
    api_tokens: Vec<Door>,
}

/// A session or an API token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Door {
    id: Uuid,
    #[serde(default, deserialize_with = "instant::read")]
    expires_at: Option<Timestamp>,
}

impl Listener {
    pub(super) const fn new(user: User, credential: Credential, expires_at: Timestamp) -> Self {
        Self { user, credential, expires_at }
    }

    /// The key of the messages that are for this listener.
    pub fn key(&self) -> String {
        self.user.id.to_string()
    }

    /// Whether an account still has what the stream was opened with.
    fn is_open(&self, doors: &Doors) -> bool {
        match self.credential {
            Credential::Session(id) => id.is_none_or(|id| doors.sessions.iter().any(|door| door.id == id)),
            Credential::ApiToken(id) => doors.api_tokens.iter().any(|door| door.id == id),
        }
    }

    /// Whether what the stream was opened with has ended by itself.
    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}

impl<T: Transport> App<T> {
    /// Who wants to listen: by `Authorization`, or by the cookie of streams.
    ///
    /// # Errors
    /// 401 for a missing, malformed, expired, revoked and wrongly signed token; 403 for an API token that may not read.
    pub async fn listener(&self, request: &Request) -> Result<Listener, Problem> {
        let shown = if request.headers().contains_key(header::AUTHORIZATION) {
            bearer(request)?.to_owned()
        } else {
            Some(cookie(request, STREAM_COOKIE)).filter(|token| !token.is_empty()).ok_or_else(|| {
                Problem::unauthorized(
                    kind::TOKEN_MISSING,
                    "Send `Authorization: Bearer` with an access token, or sign in as a page does.",
                )
            })?
        };
        let Some(token) = ApiToken::parse(&shown) else {
            let opened = opened(&self.settings.signing_key, &shown, self.now)?;
            let (user, expires_at) = (opened.user, opened.expires_at);
            return Ok(Listener::new(user, Credential::Session(opened.session), expires_at));
        };
        let user = self.reader(request).await?;
        // As long as a session's, so that no stream outlives a change for long.
        let expires_at = Timestamp::from_second(self.now.as_second() + ACCESS_TOKEN_SECONDS).unwrap_or(Timestamp::MAX);
        Ok(Listener::new(user, Credential::ApiToken(token.id), expires_at))
    }

    /// Looks whether the session or API token has not ended, and notes until when it lasts.
    ///
    /// Asked once the topic's stream is open: what ends later is told there.
    ///
    /// # Errors
    /// 401 when it has ended.
    pub async fn admit(&self, mut listener: Listener) -> Result<Listener, Problem> {
        let doors = self.load_document::<Doors>(&accounts::key(listener.user.id)).await?;
        let (doors, _) = doors.ok_or_else(session_gone)?;
        match listener.credential {
            Credential::Session(Some(id)) if !doors.sessions.iter().any(|door| door.id == id) => Err(session_gone()),
            Credential::Session(_) => Ok(listener),
            Credential::ApiToken(id) => {
                let door = doors.api_tokens.into_iter().find(|door| door.id == id).ok_or_else(|| {
                    Problem::unauthorized(kind::TOKEN_REVOKED, "The API token was revoked: make another.")
                })?;
                listener.expires_at = door.expires_at.map_or(listener.expires_at, |at| at.min(listener.expires_at));
                Ok(listener)
            }
        }
    }

    /// Looks whether a listener may go on, and up to which event there is something to tell; one call.
    pub(super) async fn stay(&self, listener: &Listener) -> Result<Stay, Failure> {
        let (account, index) = (accounts::key(listener.user.id), ring::index_key(listener.user.id));
        let found = self.load_documents(vec![account.clone(), index.clone()]).await?;
        let index: UpdatesIndex = found.get_or_default(&index)?;
        Ok(match found.get::<Doors>(&account)? {
            Some((doors, _)) if !index.closed && listener.is_open(&doors) => Stay::Until(index.last),
            Some(_) if !index.closed => Stay::SignedOut,
            _ => Stay::Gone,
        })
    }
}
