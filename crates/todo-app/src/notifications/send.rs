//! One try: a message of the topic `deliveries` goes to its receiver, and what comes of it is remembered.

mod email;
mod push;
mod webhook;

use ::http::{Request, header};
use dapr::Transport;

use super::{
    Channels, after,
    delivery::{Channel, Delivery, MESSAGE_TYPE, TOPIC, retry_after},
};
use crate::{App, documents::passing_item, events::Taken, failure::Failure, schedule::Message};

/// Seconds for which it is remembered that something was delivered: longer than anything is tried.
const REMEMBERED_SECONDS: i64 = 3 * 24 * 60 * 60;

/// Why a try failed.
struct Refusal {
    /// For the user: what the receiver did, and nothing of the network between.
    why: String,
    /// Its status; `None` when there was no answer.
    status: Option<u16>,
    /// The seconds that the receiver asked to wait.
    retry_after: Option<i64>,
}

impl<T: Transport> App<T> {
    /// Makes one try. What was delivered before is not sent again.
    ///
    /// # Errors
    /// [`Failure::Sidecar`] when store, broker or scheduler is away: the message is to come again then.
    pub async fn deliver<O: Transport>(
        &self,
        delivery: &Delivery,
        channels: &Channels,
        outside: &O,
    ) -> Result<Taken, Failure> {
        match delivery.channel {
            Channel::Webhook => self.deliver_to_webhook(delivery, channels, outside).await?,
            Channel::Push => self.deliver_to_browser(delivery, channels, outside).await?,
            Channel::Email => self.deliver_mail(delivery, channels).await?,
            Channel::Other => return Ok(Taken::Ignored),
        }
        Ok(Taken::Done)
    }

    /// Sends a request outside. Its answer's body is not read.
    async fn send_outside<O: Transport>(&self, outside: &O, request: Request<Vec<u8>>) -> Result<(), Refusal> {
        let answer = outside.send(request).await.map_err(|error| {
            eprintln!("a receiver cannot be reached: {error}");
            Refusal { why: "It could not be reached.".to_owned(), status: None, retry_after: None }
        })?;
        if answer.status().is_success() {
            return Ok(());
        }
        let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let status = answer.status().as_u16();
        Err(Refusal {
            why: format!("It answered {status}."),
            status: Some(status),
            retry_after: asked.and_then(|text| retry_after(text, self.now)),
        })
    }

    /// Sees to the next try; `false` when this was the last.
    async fn try_later(&self, delivery: &Delivery, asked: Option<i64>) -> Result<bool, Failure> {
        let mut random = [0; 2];
        getrandom::fill(&mut random).expect("the host has randomness");
        let share = f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX);
        let Some(wait) = delivery.wait(asked, share) else { return Ok(false) };
        let due = after(self.now, wait);
        let message = Message::new(TOPIC, &delivery.target_id.to_string(), MESSAGE_TYPE, &delivery.next())?;
        self.publish_later(&delivery.delivery_id.to_string(), due, &message).await?;
        Ok(true)
    }

    /// Remembers that something was delivered.
    async fn remember(&self, delivery: &Delivery) -> Result<(), Failure> {
        let item = passing_item(delivered_key(delivery), &self.now, REMEMBERED_SECONDS)?;
        Ok(self.dapr.save(&self.settings.state_store, &item).await?)
    }
}

/// Where it is remembered that something was delivered.
fn delivered_key(delivery: &Delivery) -> String {
    format!("delivered/{}", delivery.delivery_id)
}
