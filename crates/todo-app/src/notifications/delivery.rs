//! What goes out of the service: one message of the topic `deliveries` for each receiver, and one more for each further
//! try with it.
//!
//! The key of a message is its receiver's id, so that a slow receiver holds up itself alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use todo_domain::{UserId, instant, iso};
use uuid::Uuid;

/// The topic.
pub const TOPIC: &str = "deliveries";
/// The CloudEvents type of its messages.
pub const MESSAGE_TYPE: &str = "todo.delivery";

/// Seconds before each further try: soon, in case it was a hiccup, then for a little more than a day, so that the last
/// failure of a receiver that is away for good comes when it has been so for a day.
const WAITS: [i64; 10] = [5, 30, 2 * 60, 10 * 60, 30 * 60, HOUR, 3 * HOUR, 5 * HOUR, 7 * HOUR, 8 * HOUR];
const HOUR: i64 = 60 * 60;
/// Tries of what is of no use when it comes hours late: mail and push messages.
const PROMPT_TRIES: u32 = 7;
/// The longest wait that a receiver may ask for, in seconds.
const LONGEST_WAIT: i64 = 24 * HOUR;
/// The part of a wait that is added at random, so that those who failed together do not come back together.
const JITTER: f64 = 0.2;

/// The way that a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Channel {
    /// To a program of the user's.
    Webhook,
    /// To the user's mail address.
    Email,
    /// To one of the user's browsers.
    Push,
    /// One that a newer release knows.
    #[serde(other)]
    Other,
}

/// One try with one receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// What is remembered to send nothing twice; the same on every try.
    pub delivery_id: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// The way that it takes.
    pub channel: Channel,
    /// The webhook, the push subscription, or for mail the user; the partition key.
    pub target_id: Uuid,
    /// Which try this is, counted from 1.
    pub attempt: u32,
    /// What happened, such as `task.created`.
    pub event_type: String,
    /// When it happened.
    #[serde(deserialize_with = "instant::read")]
    pub timestamp: Timestamp,
    /// What the receiver is told: for a webhook what its body has as `data`, else the entry of the inbox.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub data: Box<RawValue>,
}

impl Delivery {
    /// The seconds until the next try; `None` when this was the last. `share` is random, from 0 to 1.
    pub(super) fn wait(&self, retry_after: Option<i64>, share: f64) -> Option<i64> {
        if self.channel != Channel::Webhook && self.attempt >= PROMPT_TRIES {
            return None;
        }
        let wait = *WAITS.get(usize::try_from(self.attempt).ok()?.checked_sub(1)?)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "waits are hours at most")]
        let longer = (wait as f64 * JITTER * share) as i64;
        Some((wait + longer).max(retry_after.unwrap_or(0).min(LONGEST_WAIT)))
    }

    /// The try after this one.
    pub(super) fn next(&self) -> Self {
        Self { attempt: self.attempt.saturating_add(1), ..self.clone() }
    }
}

/// Reads `Retry-After`, seconds or a date as HTTP writes it (RFC 9110, 10.2.3), as seconds from now. `None` for anything
/// else.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<i64> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    // `Sun, 06 Nov 1994 08:49:37 GMT`.
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split(' ').skip(1);
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.find(month).filter(|at| month.len() == 3 && at % 3 == 0)? / 3 + 1;
    let at = iso::instant(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    Some((at.as_second() - now.as_second()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(channel: Channel, attempt: u32) -> Delivery {
        Delivery {
            delivery_id: Uuid::nil(),
            user_id: UserId::new(Uuid::nil()),
            channel,
            target_id: Uuid::nil(),
            attempt,
            event_type: "task.created".to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            data: RawValue::from_string("{}".to_owned()).unwrap(),
        }
    }

    #[test]
    fn a_webhook_is_tried_for_a_day_and_mail_for_two_hours() {
        for (channel, share, hours) in
            [(Channel::Webhook, 0.0, 24..25), (Channel::Webhook, 1.0, 24..30), (Channel::Email, 1.0, 1..3)]
        {
            let waits: Vec<i64> = (1..100).map_while(|attempt| delivery(channel, attempt).wait(None, share)).collect();
            assert!(waits.is_sorted());
            let sum: i64 = waits.iter().sum();
            assert!(hours.contains(&(sum / HOUR)), "{channel:?} for {sum} s");
        }
        assert_eq!(delivery(Channel::Push, PROMPT_TRIES).wait(None, 0.0), None);
        assert_eq!(delivery(Channel::Webhook, 0).wait(None, 0.0), None);
    }

    #[test]
    fn a_receiver_may_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
        let wait = |asked: i64| delivery(Channel::Webhook, 2).wait(Some(asked), 0.0).unwrap();
        assert_eq!((wait(1), wait(90), wait(i64::MAX)), (30, 90, LONGEST_WAIT));
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let seconds = |text: &str| retry_after(text, now);
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        for text in [
            "",
            "-1",
            "soon",
            "1.5",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
