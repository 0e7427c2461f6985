//! Who may do what: a session everything, an API token what its scopes say.

use dapr::Transport;

use todo_domain::{Actor, ActorKind};
use uuid::Uuid;

use super::{ApiToken, User, authenticate, bearer, opened};
use crate::{
    App,
    accounts::TokenHolder,
    http::{
        Request,
        problem::{Problem, kind},
    },
    idempotency::IdempotencyKey,
};

/// What an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Reading tasks, tags, the trash and exports.
    TasksRead,
    /// Changing tasks and the trash, and importing.
    TasksWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 2] = [Self::TasksRead, Self::TasksWrite];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TasksRead => "tasks:read",
            Self::TasksWrite => "tasks:write",
        }
    }

    /// Reads a word; `None` for what is no scope of this release.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// Someone who may write, and how they number this write.
#[derive(Debug, Clone)]
pub struct Writer {
    /// Whose list it is.
    pub user: User,
    /// Who makes the change.
    pub actor: Actor,
    /// The write's own number, where its client gave it one.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl Writer {
    /// The service itself, at work on a user's list.
    pub const fn service(user: User, kind: ActorKind) -> Self {
        Self { user, actor: Actor::of(kind), idempotency_key: None }
    }

    /// Whether the bound on the writes of a minute is for them: handlers of events may be late and have much to do.
    pub fn is_paced(&self) -> bool {
        !matches!(self.actor.kind, ActorKind::Recurrence | ActorKind::System)
    }
}

impl<T: Transport> App<T> {
    /// Someone who may read tasks.
    ///
    /// # Errors
    /// 401 as [`authenticate`]; 403 for an API token without the scope.
    pub async fn reader(&self, request: &Request) -> Result<User, Problem> {
        Ok(self.granted(request, Scope::TasksRead).await?.0)
    }

    /// Someone who may change tasks.
    ///
    /// # Errors
    /// As [`App::reader`]; 400 for an `Idempotency-Key` that is none.
    pub async fn writer(&self, request: &Request) -> Result<Writer, Problem> {
        let (user, actor) = self.granted(request, Scope::TasksWrite).await?;
        let idempotency_key = IdempotencyKey::of(request, user.id)?;
        Ok(Writer { user, actor, idempotency_key })
    }

    /// Someone who has signed in: the account itself is out of reach of API tokens.
    ///
    /// # Errors
    /// 401 as [`authenticate`]; 403 for an API token.
    pub fn signed_in_user(&self, request: &Request) -> Result<User, Problem> {
        if ApiToken::parse(bearer(request)?).is_some() {
            return Err(forbidden("An API token does not open the account: sign in.", ""));
        }
        authenticate(&self.settings.signing_key, request, self.now)
    }

    /// The session of someone who has signed in; access tokens of the first release do not say.
    pub fn session(&self, request: &Request) -> Option<Uuid> {
        opened(&self.settings.signing_key, bearer(request).ok()?, self.now).ok()?.session
    }

    async fn granted(&self, request: &Request, scope: Scope) -> Result<(User, Actor), Problem> {
        let Some(token) = ApiToken::parse(bearer(request)?) else {
            let user = authenticate(&self.settings.signing_key, request, self.now)?;
            return Ok((user, Actor::of(ActorKind::User)));
        };
        let TokenHolder { user, token_name, scopes } = self.holder_of_api_token(&token).await?;
        let word = scope.as_str();
        if scopes.iter().any(|granted| granted == word) {
            return Ok((user, Actor::token(token_name)));
        }
        Err(forbidden(&format!("This API token has not the scope `{word}`: make one that has."), word))
    }
}

/// 403, with the challenge that RFC 6750 asks for.
fn forbidden(detail: &str, scope: &str) -> Problem {
    let scope = if scope.is_empty() { String::new() } else { format!(", scope=\"{scope}\"") };
    Problem::new(403, kind::INSUFFICIENT_SCOPE)
        .detail(detail)
        .header("www-authenticate", format!("Bearer error=\"insufficient_scope\"{scope}"))
}
