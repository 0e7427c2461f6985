//! Puts dead letters back, each once: what is put back, and that it was, are one transaction.

use std::{collections::HashMap, sync::Arc};

use super::{
    log,
    offsets::{self, ProgressKey},
    writer::Batch,
};
use crate::{
    dead_letter,
    dead_letter::Facts,
    envelope,
    log::{Message, Progress, Topic},
    store::StoreError,
};

/// Letters of one transaction, so that writers wait little.
const LETTERS: usize = 200;
/// Content of one transaction.
const BYTES: usize = 4 << 20;

/// Which letters of a partition are looked at.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The group under whose name it is noted what was put back.
    pub(crate) key: ProgressKey,
    /// The offset to begin at.
    pub(crate) from: i64,
    /// The offset to end before.
    pub(crate) end: i64,
    /// The id of the one event that is put back. None: all.
    pub(crate) id: Option<String>,
}

/// What one transaction did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Letters put back.
    pub(crate) replayed: usize,
    /// Letters that say nothing of where they came from.
    pub(crate) unknown: usize,
    /// Where to go on. None: nothing is left.
    pub(crate) next: Option<i64>,
    /// A topic that is to be opened before it can go on.
    pub(crate) missing: Option<String>,
}

/// Puts the next letters back into the topics that they came from. Those among `topics` are open.
pub(crate) fn replay(
    batch: &mut Batch<'_>,
    step: &Step,
    topics: &HashMap<String, Arc<Topic>>,
) -> Result<Done, StoreError> {
    let mut progress = offsets::open(batch, &step.key)?;
    let letters = letters(batch, step, &progress)?;
    let mut done = Done::default();
    for (offset, letter) in letters {
        let facts = letter.as_ref().and_then(Facts::of);
        let chosen = letter.as_ref().is_some_and(|letter| {
            step.id.as_deref().is_none_or(|id| envelope::id(&letter.content).as_deref() == Some(id))
        });
        let mut settled = letter.is_none();
        match (letter, facts) {
            (Some(letter), Some(facts)) if chosen => {
                let Some(topic) = topics.get(&facts.topic) else {
                    done.missing = Some(facts.topic);
                    done.next = Some(offset);
                    break;
                };
                log::append(batch, &dead_letter::restored(topic.clone(), &letter))?;
                done.replayed += 1;
                settled = true;
            }
            (Some(_), None) if chosen => done.unknown += 1,
            _ => {}
        }
        progress.settle(offset, settled);
        done.next = Some(offset + 1);
    }
    offsets::write(batch.connection(), &[(step.key.clone(), progress)])?;
    Ok(done)
}

/// The letters from `step.from` on that were not put back, with those that are gone as nothing.
fn letters(batch: &Batch<'_>, step: &Step, progress: &Progress) -> Result<Vec<(i64, Option<Message>)>, StoreError> {
    let wanted = |offset: &i64| (step.from..step.end).contains(offset);
    let left: Vec<i64> = progress.unfinished.iter().copied().filter(wanted).take(LETTERS).collect();
    let mut letters = Vec::new();
    let mut held = 0;
    for offset in left {
        let found = log::read_at(batch.connection(), step.key.partition, &[offset])?.pop();
        held += found.as_ref().map_or(0, |letter| letter.content.len());
        letters.push((offset, found));
        if held >= BYTES {
            return Ok(letters);
        }
    }
    let (room, from) = (LETTERS - letters.len(), progress.next.max(step.from));
    if room > 0 {
        let new = log::read(batch.connection(), step.key.partition, from, room, BYTES - held)?;
        letters.extend(
            new.into_iter().filter(|letter| letter.offset < step.end).map(|letter| (letter.offset, Some(letter))),
        );
    }
    Ok(letters)
}
