//! Which tasks leave a head that has become too long, and where they go.

use super::document::{Head, PageNumber, Slot};
use super::{HEAD_BOUND, HEAD_NEWEST, PAGE_BOUND};
use crate::sorting::order_of;
use crate::task::Status;
use crate::view::TaskView;

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
    let views = tasks.iter().map(Slot::view).collect::<Result<Vec<_>, _>>()?;

    let made: Vec<_> = views.iter().map(|view| (view.created_at(), view.id)).collect();
    let mut stays = vec![false; views.len()];
    let newest_first = order_of(views.len(), &mut |one, other| made[other].cmp(&made[one]));
    let live = newest_first.into_iter().filter(|index| !views[*index].is_trashed());
    for index in live.take(HEAD_NEWEST) {
        stays[index] = true;
    }

    let rank = |(index, view): (usize, &TaskView<'_>)| {
        let kind = match view.status {
            _ if view.is_trashed() => 0_u8,
            Status::Completed => 1,
            _ => 2,
        };
        (stays[index], kind, view.updated_at(), view.id)
    };
    let ranks: Vec<_> = views.iter().enumerate().map(rank).collect();
    let first_to_leave = order_of(views.len(), &mut |one, other| ranks[one].cmp(&ranks[other]));
    let mut leaves = vec![false; views.len()];
    for index in first_to_leave.into_iter().take(count) {
        leaves[index] = true;
    }

    let by_id = order_of(tasks.len(), &mut |one, other| tasks[one].id.cmp(&tasks[other].id));
    let spilled = by_id.into_iter().filter(|index| leaves[*index]).map(|index| tasks[index].clone()).collect();
    let mut leaves = leaves.into_iter();
    tasks.retain(|_| leaves.next() == Some(false));
    Ok(spilled)
}
