//! Push subscriptions: browsers that are reached while no page of the service is open (RFC 8030).

use dapr::Transport;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::{UserId, instant};
use uuid::Uuid;

use super::derived_id;
use crate::{App, documents::UserDocument, failure::Failure, http::problem::Problem};

/// Browsers of one user. Beyond them the oldest goes: browsers forget subscriptions without a word.
pub const MAX_PUSH_SUBSCRIPTIONS: usize = 20;

/// A browser, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushSubscription {
    /// Its id, from the user and the address: the same browser has the same.
    pub id: Uuid,
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: String,
    /// What the browser and those who send to it share.
    pub auth: String,
    /// When it was first given.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// What a newer release added; kept as it is.
    #[serde(flatten)]
    pub(super) other: Map<String, Value>,
}

/// The browsers of a user, as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscriptions {
    /// The oldest first.
    #[serde(default)]
    pub(super) subscriptions: Vec<PushSubscription>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// What a user is told of a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PushSubscription"))]
pub struct PushSubscriptionBody {
    /// Its id.
    pub id: Uuid,
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// When it was first given.
    pub created_at: Timestamp,
}

/// What a page gives its browser to subscribe with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PushKey"))]
pub struct PushKeyBody {
    /// `applicationServerKey` of `PushManager.subscribe`: a point of the curve P-256 in base64url.
    pub public_key: String,
}

/// What a browser gave: the fields of its `PushSubscription`.
#[derive(Debug, Clone)]
pub struct NewPushSubscription {
    /// Where its push service takes messages for it.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: String,
    /// What the browser and those who send to it share.
    pub auth: String,
}

impl UserDocument for PushSubscriptions {
    fn key(user: UserId) -> String {
        format!("push-subscriptions/{user}")
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }
}

impl PushSubscription {
    /// What its user is told.
    pub fn body(&self) -> PushSubscriptionBody {
        PushSubscriptionBody { id: self.id, endpoint: self.endpoint.clone(), created_at: self.created_at }
    }
}

impl<T: Transport> App<T> {
    /// The user's browsers, the newest first.
    ///
    /// # Errors
    /// [`Failure::Closed`] when the account is gone; [`Failure::Sidecar`] when the store is away.
    pub async fn push_subscriptions(&self, user: UserId) -> Result<Vec<PushSubscriptionBody>, Failure> {
        let document: PushSubscriptions = self.user_document(user).await?;
        Ok(document.subscriptions.iter().rev().map(PushSubscription::body).collect())
    }

    /// Adds a browser. One that is there gets the keys that it has now.
    ///
    /// # Errors
    /// As [`App::push_subscriptions`].
    pub async fn add_push_subscription(
        &self,
        user: UserId,
        new: &NewPushSubscription,
    ) -> Result<PushSubscriptionBody, Failure> {
        let id = derived_id(&["push-subscription", &user.to_string(), &new.endpoint]);
        let NewPushSubscription { endpoint, p256dh, auth } = new.clone();
        let fresh = PushSubscription { id, endpoint, p256dh, auth, created_at: self.now, other: Map::new() };
        let add = |document: &mut PushSubscriptions| {
            if let Some(known) = document.subscriptions.iter_mut().find(|known| known.id == id) {
                known.p256dh.clone_from(&fresh.p256dh);
                known.auth.clone_from(&fresh.auth);
                return Ok(known.body());
            }
            document.subscriptions.push(fresh.clone());
            let surplus = document.subscriptions.len().saturating_sub(MAX_PUSH_SUBSCRIPTIONS);
            document.subscriptions.drain(..surplus);
            Ok(fresh.body())
        };
        self.change_user_document(user, add).await
    }

    /// Removes a browser.
    ///
    /// # Errors
    /// 404 when it is not there; as [`App::push_subscriptions`].
    pub async fn remove_push_subscription(&self, user: UserId, id: Uuid) -> Result<(), Problem> {
        if self.forget_push_subscription(user, id).await? {
            return Ok(());
        }
        Err(Problem::not_found("There is no such push subscription."))
    }

    /// Removes a browser; `false` when it is not there.
    pub(super) async fn forget_push_subscription(&self, user: UserId, id: Uuid) -> Result<bool, Failure> {
        let remove = |document: &mut PushSubscriptions| {
            let before = document.subscriptions.len();
            document.subscriptions.retain(|known| known.id != id);
            Ok(document.subscriptions.len() < before)
        };
        self.change_user_document(user, remove).await
    }
}
