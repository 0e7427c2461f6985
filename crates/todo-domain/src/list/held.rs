//! Events that wait in the head until they are known to be published.
//!
//! For a publisher that cannot take part in the transaction: what a commit tells is stored with it, and goes out from there
//! even when whoever committed ends in between.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::TaskList;
use crate::ids::EventId;
use crate::instant;

/// The bytes of held events beyond which a list takes no further write: some 1,500 events.
/// It bounds the head, which every write carries; what one write adds is not counted.
pub const MAX_HELD_BYTES: usize = 1 << 20;

/// An event in the head, as it will be published.
#[derive(Debug, Clone)]
pub struct HeldEvent {
    /// Its number among the user's events.
    pub sequence: u64,
    /// What consumers remember to see repeats.
    pub event_id: EventId,
    /// When it happened.
    pub timestamp: Timestamp,
    json: Arc<RawValue>,
}

/// What of an event tells it from others, whatever else it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    sequence: u64,
    event_id: EventId,
    #[serde(deserialize_with = "instant::read")]
    timestamp: Timestamp,
}

impl HeldEvent {
    /// An event of one's own making.
    pub(crate) fn of(event: &impl Serialize) -> Self {
        let json = serde_json::value::to_raw_value(event).expect("an event has no map with keys that are not text");
        Self::parse(json).expect("an event has its number, its id and its time")
    }

    fn parse(json: Box<RawValue>) -> Result<Self, serde_json::Error> {
        let Known { sequence, event_id, timestamp } = serde_json::from_str(json.get())?;
        Ok(Self { sequence, event_id, timestamp, json: json.into() })
    }

    /// Its JSON, as it was written.
    pub fn json(&self) -> &str {
        self.json.get()
    }
}

impl Serialize for HeldEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::serialize(&self.json, serializer)
    }
}

impl<'de> Deserialize<'de> for HeldEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Deserialize::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl TaskList {
    /// Keeps the events of coming commands in the head until [`TaskList::confirm_events`].
    pub fn hold_events(&mut self) {
        self.holds_events = true;
    }

    /// The events in the head that nobody has confirmed yet, in order.
    pub fn held_events(&self) -> &[HeldEvent] {
        &self.head.pending
    }

    /// Forgets held events up to this sequence; stored with the next write.
    pub fn confirm_events(&mut self, through_sequence: u64) {
        self.head.pending.retain(|event| event.sequence > through_sequence);
    }

    /// Whether so much is held that nothing more should be written before it has gone out ([`MAX_HELD_BYTES`]).
    pub fn holds_too_much(&self) -> bool {
        self.head.pending.iter().map(|event| event.json().len()).sum::<usize>() > MAX_HELD_BYTES
    }
}
