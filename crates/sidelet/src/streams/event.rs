//! Messages as server-sent events.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::MEMORY;
use crate::{
    envelope,
    log::{Message, Topic},
};

/// The first words to a reader: what is appended from now on is sent.
pub(super) const READY: Bytes = Bytes::from_static(b": ready\n\n");
/// Says that the connection is alive.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b": heartbeat\n\n");

/// A message that waits for a reader. What it holds is shared by all readers that it waits for.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Counted from the first partition that the reader wants.
    pub(super) partition: usize,
    pub(super) offset: i64,
    /// The field `data` and the end of the event.
    pub(super) data: Bytes,
}

/// Bytes that are counted for as long as anyone holds them.
struct Counted {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The permits that text of this length takes.
fn permits(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len().min(MEMORY)).expect("the bound is a u32")
}

/// Renders a message when there is room for it now.
pub(super) fn try_data(topic: &Topic, partition: usize, message: &Message, memory: &Arc<Semaphore>) -> Option<Bytes> {
    let bytes = render(topic, partition, message);
    let permit = memory.clone().try_acquire_many_owned(permits(&bytes)).ok()?;
    Some(Bytes::from_owner(Counted { bytes, _permit: permit }))
}

/// Renders a message once there is room for it.
pub(super) async fn data(topic: &Topic, partition: usize, message: &Message, memory: &Arc<Semaphore>) -> Bytes {
    let bytes = render(topic, partition, message);
    let permit = memory.clone().acquire_many_owned(permits(&bytes)).await.expect("the semaphore is never closed");
    Bytes::from_owner(Counted { bytes, _permit: permit })
}

/// One line with the envelope. What came without one gets one, as for a subscription with `rawPayload`.
fn render(topic: &Topic, partition: usize, message: &Message) -> Vec<u8> {
    let raw = || {
        let id = format!("{}-{partition}-{}", topic.name, message.offset);
        envelope::around_raw(&topic.pubsub, &topic.name, &id, &message.content)
    };
    let content = if envelope::is_object(&message.content) { message.content.clone() } else { raw() };
    let mut bytes = Vec::with_capacity(content.len() + 8);
    bytes.extend_from_slice(b"data: ");
    // Between the tokens of JSON the end of a line is as good as a space; within them there is none.
    bytes.extend(content.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    bytes.extend_from_slice(b"\n\n");
    bytes
}

/// The field `id`: the last message of each partition that has been sent or passed over, `<partition>-<offset>` with
/// commas between. A stream of one key has one.
pub(super) fn id(partitions: &Range<usize>, next: &[i64]) -> Bytes {
    let sent = partitions.clone().zip(next).filter(|(_, next)| **next > 0);
    let parts: Vec<String> = sent.map(|(partition, next)| format!("{partition}-{}", next - 1)).collect();
    Bytes::from(format!("id: {}\n", parts.join(",")))
}

/// The next offset of each partition behind the event with this id. None: it is no id of these partitions, whose logs
/// end at `ends`.
///
/// A partition that the id does not name is sent from its oldest message. So is one whose log ends before the offset:
/// that log is gone, as one in memory after a restart.
pub(super) fn position(id: &str, ends: &[i64], partitions: &Range<usize>) -> Option<Vec<i64>> {
    let mut next = vec![0; partitions.len()];
    for part in id.split(',') {
        let (partition, offset) = part.split_once('-')?;
        let (partition, offset): (usize, i64) = (partition.parse().ok()?, offset.parse().ok()?);
        let known = partitions.contains(&partition) && (0..i64::MAX).contains(&offset);
        if !known {
            return None;
        }
        let index = partition - partitions.start;
        next[index] = if offset < ends[index] { offset + 1 } else { 0 };
    }
    Some(next)
}

/// The last words to a reader.
pub(super) fn end(reason: &str) -> Bytes {
    Bytes::from(format!("event: end\ndata: {reason}\n\n"))
}
