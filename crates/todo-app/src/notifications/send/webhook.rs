//! One try with a webhook.

use ::http::{Request, header};
use dapr::Transport;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Refusal, delivered_key};
use crate::{
    App,
    documents::UserDocument,
    failure::Failure,
    notifications::{
        Channels,
        delivery::Delivery,
        raw,
        signature::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER},
        target,
        webhooks::{Webhook, WebhookState, Webhooks, state_key},
    },
};

/// By what receivers know the sender.
const USER_AGENT: &str = concat!("todo-webhooks/", env!("CARGO_PKG_VERSION"));
/// The status by which a receiver says that it wants no more, ever.
const GONE: u16 = 410;

/// What a receiver reads, as Standard Webhooks says.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: &'a RawValue,
}

impl<T: Transport> App<T> {
    pub(super) async fn deliver_to_webhook<O: Transport>(
        &self,
        delivery: &Delivery,
        channels: &Channels,
        outside: &O,
    ) -> Result<(), Failure> {
        let user = delivery.user_id;
        let documents = self.load_documents(vec![Webhooks::key(user), delivered_key(delivery)]).await?;
        if documents.get::<Timestamp>(&delivered_key(delivery))?.is_some() {
            return Ok(());
        }
        let webhooks: Webhooks = documents.of_user(user)?;
        let wanted = webhooks.get(delivery.target_id).filter(|webhook| webhook.takes(&delivery.event_type));
        let Some(webhook) = wanted else { return Ok(()) };

        let key = state_key(webhook.id);
        let sent = match self.webhook_request(webhook, delivery, channels)? {
            Ok(request) => self.send_outside(outside, request).await,
            Err(refusal) => Err(refusal),
        };
        let Err(refusal) = sent else {
            self.remember(delivery).await?;
            let succeed = |state: &mut WebhookState| {
                state.succeeded(self.now);
                Ok(())
            };
            return self.change_document(&key, succeed).await;
        };
        let fail = |state: &mut WebhookState| Ok::<_, Failure>(state.failed(self.now, &refusal.why));
        let for_a_day = self.change_document(&key, fail).await?;
        if refusal.status == Some(GONE) {
            let why = "The receiver answered 410: it wants no more.";
            self.disable_webhook(user, webhook, delivery.delivery_id, why).await
        } else if for_a_day {
            let why = format!("It took nothing for a day. {}", refusal.why);
            self.disable_webhook(user, webhook, delivery.delivery_id, &why).await
        } else {
            self.try_later(delivery, refusal.retry_after).await.map(drop)
        }
    }

    /// The request of one try, or why there is none.
    fn webhook_request(
        &self,
        webhook: &Webhook,
        delivery: &Delivery,
        channels: &Channels,
    ) -> Result<Result<Request<Vec<u8>>, Refusal>, Failure> {
        let uri = match target::check(&webhook.url, channels.targets) {
            Ok(uri) => uri,
            Err(error) => {
                let why = format!("Its address is refused: {error}.");
                return Ok(Err(Refusal { why, status: None, retry_after: None }));
            }
        };
        let body = Body { r#type: &delivery.event_type, timestamp: delivery.timestamp, data: &delivery.data };
        let body = raw(&body)?.get().as_bytes().to_vec();
        let id = delivery.delivery_id.to_string();
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::USER_AGENT, USER_AGENT)
            .header(ID_HEADER, &id)
            .header(TIMESTAMP_HEADER, self.now.as_second())
            .header(SIGNATURE_HEADER, webhook.sign(&id, self.now, &body))
            .body(body);
        Ok(Ok(request.expect("a checked address and visible ASCII are a request")))
    }
}
