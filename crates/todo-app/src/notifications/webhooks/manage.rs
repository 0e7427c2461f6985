//! What a user does with webhooks, and what becomes of one that only fails.

use dapr::Transport;
use serde_json::Map;
use todo_domain::UserId;
use uuid::Uuid;

use super::{
    MAX_WEBHOOKS, NewWebhook, Webhook, WebhookBody, WebhookChange, WebhookState, Webhooks, no_webhook, state_key,
};
use crate::{
    App,
    failure::Failure,
    fresh_id,
    http::problem::{Problem, kind},
    idempotency::IdempotencyKey,
    notifications::{
        derived_id,
        inbox::{Entry, Inbox, entry_kind},
        signature::{SECRET_BYTES, WebhookSecret},
    },
};

/// Seconds between two tests of one webhook.
const TEST_PAUSE_SECONDS: i64 = 10;

impl<T: Transport> App<T> {
    /// The user's webhooks, the newest first, without their secrets.
    ///
    /// # Errors
    /// [`Failure::Closed`] when the account is gone; [`Failure::Sidecar`] when the store is away.
    pub async fn webhooks(&self, user: UserId) -> Result<Vec<WebhookBody>, Failure> {
        let webhooks = self.user_document::<Webhooks>(user).await?.webhooks;
        let keys: Vec<String> = webhooks.iter().map(|webhook| state_key(webhook.id)).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.load_documents(keys).await?;
        let body = |webhook: &Webhook| {
            let state = found.get(&state_key(webhook.id))?.map(|(state, _)| state);
            Ok(webhook.body(state.unwrap_or_default()))
        };
        webhooks.iter().rev().map(body).collect()
    }

    /// Makes a webhook, whose secret this answer alone tells. The same write, numbered by its client, makes the same.
    ///
    /// # Errors
    /// 400 when the user has [`MAX_WEBHOOKS`].
    pub async fn create_webhook(
        &self,
        user: UserId,
        new: &NewWebhook,
        key: Option<&IdempotencyKey>,
    ) -> Result<WebhookBody, Problem> {
        let secret = self.webhook_secret(key);
        let make = |document: &mut Webhooks| {
            if let Some(made) = document.webhooks.iter().find(|webhook| webhook.secret == secret) {
                return Ok(made.clone());
            }
            if document.webhooks.len() >= MAX_WEBHOOKS {
                let message = format!("there are at most {MAX_WEBHOOKS} webhooks: delete one first");
                return Err(Problem::invalid_field("url", message));
            }
            let NewWebhook { url, description, events } = new.clone();
            let made = Webhook {
                id: fresh_id(),
                url,
                description,
                events,
                secret: secret.clone(),
                previous: None,
                created_at: self.now,
                disabled: None,
                other: Map::new(),
            };
            document.webhooks.push(made.clone());
            Ok(made)
        };
        let made = self.change_user_document(user, make).await?;
        Ok(WebhookBody { secret: Some(secret.text().to_owned()), ..made.body(WebhookState::default()) })
    }

    /// Changes a webhook. One that is switched on again begins without a past.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub async fn change_webhook(&self, user: UserId, id: Uuid, change: &WebhookChange) -> Result<WebhookBody, Problem> {
        let apply = |document: &mut Webhooks| {
            let webhook = document.find(id)?;
            if let Some(url) = &change.url {
                webhook.url.clone_from(url);
            }
            if let Some(description) = &change.description {
                webhook.description.clone_from(description);
            }
            if let Some(events) = &change.events {
                webhook.events.clone_from(events);
            }
            match change.active {
                Some(true) => webhook.disabled = None,
                Some(false) => webhook.disabled = Some("You switched it off.".to_owned()),
                None => {}
            }
            Ok::<_, Problem>(webhook.clone())
        };
        let webhook = self.change_user_document(user, apply).await?;
        let begin_anew = |state: &mut WebhookState| {
            if change.active == Some(true) {
                state.failing_since = None;
            }
            Ok::<_, Problem>(state.clone())
        };
        let state = self.change_document(&state_key(id), begin_anew).await?;
        Ok(webhook.body(state))
    }

    /// Gives a webhook another secret, which this answer alone tells. The one before signs beside it for a day.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub async fn rotate_webhook_secret(
        &self,
        user: UserId,
        id: Uuid,
        key: Option<&IdempotencyKey>,
    ) -> Result<WebhookBody, Problem> {
        let secret = self.webhook_secret(key);
        let rotate = |document: &mut Webhooks| {
            let webhook = document.find(id)?;
            webhook.rotate(secret.clone(), self.now);
            Ok::<_, Problem>(webhook.clone())
        };
        let webhook = self.change_user_document(user, rotate).await?;
        let state =
            self.change_document(&state_key(id), |state: &mut WebhookState| Ok::<_, Problem>(state.clone())).await?;
        Ok(WebhookBody { secret: Some(secret.text().to_owned()), ..webhook.body(state) })
    }

    /// Removes a webhook. What is still on its way to it is not sent.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub async fn delete_webhook(&self, user: UserId, id: Uuid) -> Result<(), Problem> {
        let remove = |document: &mut Webhooks| {
            let before = document.webhooks.len();
            document.webhooks.retain(|webhook| webhook.id != id);
            if document.webhooks.len() == before { Err(no_webhook()) } else { Ok(()) }
        };
        self.change_user_document(user, remove).await?;
        self.store_documents(Vec::new(), vec![state_key(id)]).await.map_err(Problem::from)
    }

    /// Whether a webhook may be tried now; counts it.
    ///
    /// # Errors
    /// 404 when it is not there; 400 when it is disabled; 429 when it was tried just now.
    pub(in crate::notifications) async fn begin_webhook_test(&self, user: UserId, id: Uuid) -> Result<(), Problem> {
        let webhooks: Webhooks = self.user_document(user).await?;
        let webhook = webhooks.get(id).ok_or_else(no_webhook)?;
        if webhook.disabled.is_some() {
            return Err(Problem::invalid_field("id", "the webhook is disabled: switch it on first"));
        }
        let count = |state: &mut WebhookState| {
            let passed = state.tested_at.map_or(i64::MAX, |at| self.now.as_second() - at.as_second());
            if (0..TEST_PAUSE_SECONDS).contains(&passed) {
                let wait = TEST_PAUSE_SECONDS - passed;
                return Err(Problem::new(429, kind::TOO_MANY_REQUESTS)
                    .detail(format!("The webhook was tried just now: try again in {wait} seconds."))
                    .header("retry-after", wait.to_string()));
            }
            state.tested_at = Some(self.now);
            Ok(())
        };
        self.change_document(&state_key(id), count).await
    }

    /// Switches a webhook off and tells its user why. `cause` is the delivery that showed it: with it again is no error.
    pub(in crate::notifications) async fn disable_webhook(
        &self,
        user: UserId,
        webhook: &Webhook,
        cause: Uuid,
        why: &str,
    ) -> Result<(), Failure> {
        let id = derived_id(&[entry_kind::WEBHOOK_DISABLED, &cause.to_string()]);
        let mut note =
            Entry::new(id, entry_kind::WEBHOOK_DISABLED, format!("Webhook switched off: {}", webhook.url), self.now);
        note.text = Some(format!("{why} Switch it on again once its receiver works."));
        self.change_user_document(user, |inbox: &mut Inbox| {
            inbox.add(note.clone());
            Ok::<_, Failure>(())
        })
        .await?;
        self.change_user_document(user, |document: &mut Webhooks| {
            if let Some(webhook) = document.webhooks.iter_mut().find(|known| known.id == webhook.id) {
                webhook.disabled.get_or_insert_with(|| why.to_owned());
            }
            Ok(())
        })
        .await
    }

    fn webhook_secret(&self, key: Option<&IdempotencyKey>) -> WebhookSecret {
        match key {
            Some(key) => WebhookSecret::of(&self.settings.signing_key.derived_bytes(&key.purpose())),
            None => {
                let mut bytes = [0; SECRET_BYTES];
                getrandom::fill(&mut bytes).expect("the host has randomness");
                WebhookSecret::of(&bytes)
            }
        }
    }
}
