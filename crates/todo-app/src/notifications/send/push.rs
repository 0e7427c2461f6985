//! One try with a browser, by way of its push service.

use ::http::{Request, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use dapr::Transport;
use jiff::Timestamp;
use serde_json::value::RawValue;
use web_push::{MAX_MESSAGE, Recipient, SenderKey};

use super::delivered_key;
use crate::{
    App,
    documents::UserDocument,
    failure::Failure,
    notifications::{
        Channels,
        delivery::Delivery,
        inbox::{Entry, entry_kind},
        push::{PushSubscription, PushSubscriptions},
        raw, target,
    },
};

/// Seconds for which a push service keeps a message for a browser that is not there: a day, as the topic does.
const TTL_SECONDS: u32 = 24 * 60 * 60;

impl<T: Transport> App<T> {
    pub(super) async fn deliver_to_browser<O: Transport>(
        &self,
        delivery: &Delivery,
        channels: &Channels,
        outside: &O,
    ) -> Result<(), Failure> {
        let Some(key) = &channels.sender_key else { return Ok(()) };
        let user = delivery.user_id;
        let documents = self.load_documents(vec![PushSubscriptions::key(user), delivered_key(delivery)]).await?;
        if documents.get::<Timestamp>(&delivered_key(delivery))?.is_some() {
            return Ok(());
        }
        let document: PushSubscriptions = documents.of_user(user)?;
        let found = document.subscriptions.iter().find(|known| known.id == delivery.target_id);
        let Some(browser) = found else { return Ok(()) };
        let Some(request) = self.push_request(browser, delivery, key, channels)? else {
            eprintln!("a push subscription cannot be sent to any more: it is removed");
            return self.forget_push_subscription(user, browser.id).await.map(drop);
        };
        match self.send_outside(outside, request).await {
            Ok(()) => self.remember(delivery).await,
            Err(refusal) => match refusal.status {
                // The browser has forgotten it (RFC 8030, 7.3).
                Some(404 | 410) => self.forget_push_subscription(user, browser.id).await.map(drop),
                None | Some(408 | 429 | 500..) => self.try_later(delivery, refusal.retry_after).await.map(drop),
                Some(status) => {
                    eprintln!("a push service refuses a message with {status}: it is given up");
                    Ok(())
                }
            },
        }
    }

    /// The request of one try; `None` when the subscription is one that nothing can be sent to.
    fn push_request(
        &self,
        browser: &PushSubscription,
        delivery: &Delivery,
        key: &SenderKey,
        channels: &Channels,
    ) -> Result<Option<Request<Vec<u8>>>, Failure> {
        let Ok(uri) = target::check(&browser.endpoint, channels.targets) else { return Ok(None) };
        let Ok(recipient) = Recipient::parse(&browser.p256dh, &browser.auth) else { return Ok(None) };
        let entry: Entry = serde_json::from_str(delivery.data.get())
            .map_err(|source| Failure::Corrupt { subject: "what is to be pushed".into(), source: source.into() })?;
        let Ok(body) = recipient.encrypt(message(&entry)?.get().as_bytes()) else { return Ok(None) };
        let audience =
            format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |at| at.as_str()));
        let urgency = if entry.kind == entry_kind::REMINDER { "high" } else { "normal" };
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::AUTHORIZATION, key.authorization(&audience, &channels.contact, self.now.as_second()))
            .header("ttl", TTL_SECONDS)
            .header("urgency", urgency)
            // At most 32 characters of base64url; a repeat takes the place of the one that still waits.
            .header("topic", URL_SAFE_NO_PAD.encode(entry.id.as_bytes()))
            .body(body);
        Ok(Some(request.expect("a checked address and visible ASCII are a request")))
    }
}

/// What the browser reads: the entry of the inbox, without its text where that would be too long.
fn message(entry: &Entry) -> Result<Box<RawValue>, Failure> {
    let whole = raw(entry)?;
    if whole.get().len() <= MAX_MESSAGE {
        return Ok(whole);
    }
    raw(&Entry { text: None, ..entry.clone() })
}
