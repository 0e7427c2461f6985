//! Which tasks leave a head that has become too long, and where they go.

use super::document::{Head, PageNumber, Slot};
use super::{HEAD_BOUND, HEAD_NEWEST, PAGE_BOUND};
use crate::ids::TaskId;
use crate::task::Status;

/// How many tasks leave a head that is one too long: one write in so many touches a page.
const SPILL: usize = 28;

/// The page that takes what leaves the head: the last one while it has room, else one that is half empty.
///
/// So a new page is opened only when all are more than half full, and their number stays bounded however tasks come and go.
pub(super) fn target(head: &Head, new_tasks: usize) -> Option<PageNumber> {
    if head.tasks.len() + new_tasks <= HEAD_BOUND {
        return None;
    }
    let size = |total: u32| usize::try_from(total).unwrap_or(usize::MAX);
    let last = head.pages.last().filter(|page| size(page.counts.total()) < PAGE_BOUND);
    let emptiest = || head.pages.iter().min_by_key(|page| page.counts.total());
    last.or_else(|| emptiest().filter(|page| size(page.counts.total()) <= PAGE_BOUND / 2)).map(|page| page.number)
}

/// Takes the tasks that leave out of a head that is too long, ordered by id; none while it is not.
///
/// Never one of the newest outside the trash. Of the others the deleted go first, then the completed, then the open; the longest untouched before the rest.
pub(super) fn take(tasks: &mut Vec<Slot>) -> Result<Vec<Slot>, serde_json::Error> {
    if tasks.len() <= HEAD_BOUND {
        return Ok(Vec::new());
    }
    let count = tasks.len() - HEAD_BOUND - 1 + SPILL;

    let mut live = Vec::with_capacity(tasks.len());
    let mut ranks = Vec::with_capacity(tasks.len());
    for (index, slot) in tasks.iter().enumerate() {
        let view = slot.view()?;
        let kind = match view.status {
            _ if view.is_trashed() => 0_u8,
            Status::Completed => 1,
            _ => 2,
        };
        if kind > 0 {
            live.push((view.created_at(), slot.id, index));
        }
        ranks.push((false, kind, view.updated_at(), slot.id));
    }
    live.sort_unstable_by(|one, other| other.cmp(one));
    for (_, _, index) in live.iter().take(HEAD_NEWEST) {
        ranks[*index].0 = true;
    }
    ranks.sort_unstable();
    let mut leaving: Vec<TaskId> = ranks.iter().take(count).map(|(.., id)| *id).collect();
    leaving.sort_unstable();

    let (mut spilled, kept): (Vec<Slot>, Vec<Slot>) =
        tasks.drain(..).partition(|slot| leaving.binary_search(&slot.id).is_ok());
    *tasks = kept;
    spilled.sort_unstable_by_key(|slot| slot.id);
    Ok(spilled)
}
