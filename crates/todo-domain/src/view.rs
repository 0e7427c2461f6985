//! A task as queries see it: borrowed from the document's text, and no more than is asked about.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ids::TaskId;
use crate::iso;
use crate::task::{DueDate, Priority, Status, zone_named};

/// The fields of a task that queries filter and sort by; the costly ones are read when asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskView<'a> {
    pub(crate) id: TaskId,
    #[serde(borrow)]
    pub(crate) title: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) description: Cow<'a, str>,
    #[serde(default)]
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) priority: Priority,
    #[serde(borrow, default)]
    tags: Option<&'a RawValue>,
    #[serde(default)]
    due_date: Option<&'a str>,
    #[serde(default)]
    time_zone: Option<&'a str>,
    created_at: &'a str,
    updated_at: &'a str,
    #[serde(default)]
    deleted_at: Option<&'a str>,
}

impl<'a> TaskView<'a> {
    /// Whether the task is in the trash.
    pub(crate) const fn is_trashed(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The tags; none when the stored form is not understood.
    pub(crate) fn tags(&self) -> Vec<Cow<'a, str>> {
        #[derive(Deserialize)]
        struct Tag<'a>(#[serde(borrow)] Cow<'a, str>);

        let Some(raw) = self.tags else { return Vec::new() };
        let tags: Vec<Tag<'a>> = serde_json::from_str(raw.get()).unwrap_or_default();
        tags.into_iter().map(|tag| tag.0).collect()
    }

    pub(crate) fn created_at(&self) -> Timestamp {
        instant(self.created_at)
    }

    pub(crate) fn updated_at(&self) -> Timestamp {
        instant(self.updated_at)
    }

    pub(crate) fn deleted_at(&self) -> Option<Timestamp> {
        self.deleted_at.map(instant)
    }

    pub(crate) fn due_date(&self) -> Option<DueDate> {
        self.due_date.and_then(|text| DueDate::parse(text).ok())
    }

    /// The last millisecond at which the task is not overdue.
    pub(crate) fn deadline(&self, zones: &mut Zones<'a>) -> Option<Timestamp> {
        let due = self.due_date()?;
        Some(match due {
            DueDate::At(instant) => instant,
            DueDate::On(_) => due.deadline(self.zone(zones)),
        })
    }

    pub(crate) fn zone<'z>(&self, zones: &'z mut Zones<'a>) -> &'z TimeZone {
        zones.get(self.time_zone.unwrap_or("UTC"))
    }
}

/// A stored instant. One that is not understood counts as the oldest.
fn instant(text: &str) -> Timestamp {
    iso::instant(text).unwrap_or(Timestamp::MIN)
}

/// The time zones met during one query, so that each is looked up once.
#[derive(Default)]
pub(crate) struct Zones<'a>(Vec<(&'a str, TimeZone)>);

impl<'a> Zones<'a> {
    fn get(&mut self, name: &'a str) -> &TimeZone {
        let index = match self.0.iter().position(|(known, _)| *known == name) {
            Some(index) => index,
            None => {
                self.0.push((name, zone_named(name)));
                self.0.len() - 1
            }
        };
        &self.0[index].1
    }
}
