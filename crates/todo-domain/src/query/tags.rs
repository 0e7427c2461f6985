//! The tags in use.

use std::collections::BTreeMap;

use crate::list::document::{HEAD, malformed};
use crate::list::{PageNumber, ReadError, TaskList};
use crate::task::Status;
use crate::view::TaskView;

/// How often a tag is used outside the trash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TagCount {
    /// The tag, lower-cased.
    pub tag: String,
    /// Its tasks that are not completed.
    pub open: u32,
    /// All its tasks.
    pub total: u32,
}

impl TagCount {
    /// Counts the tags of a list, in alphabetical order. Every page with tasks outside the trash is needed.
    pub fn of(list: &TaskList) -> Result<Vec<Self>, ReadError> {
        let pages: Vec<PageNumber> =
            list.pages().iter().filter(|page| page.counts.live() > 0).map(|page| page.number).collect();
        list.require(&pages)?;
        let mut counts = BTreeMap::new();
        for slot in &list.head().tasks {
            count(&slot.view().map_err(|source| malformed(&HEAD, source))?, &mut counts);
        }
        for number in pages {
            for view in list.view_page(number)?.tasks {
                count(&view, &mut counts);
            }
        }
        Ok(counts.into_iter().map(|(tag, (open, total))| Self { tag, open, total }).collect())
    }
}

fn count(view: &TaskView<'_>, counts: &mut BTreeMap<String, (u32, u32)>) {
    if view.is_trashed() {
        return;
    }
    for tag in view.tags() {
        let entry = match counts.get_mut(tag.as_ref()) {
            Some(entry) => entry,
            None => counts.entry(tag.into_owned()).or_default(),
        };
        entry.0 += u32::from(view.status != Status::Completed);
        entry.1 += 1;
    }
}
