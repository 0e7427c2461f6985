//! VTIMEZONE: the changes of the zones that a calendar names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use todo_domain::TimeZoneName;

use super::lines::{self, Lines};

/// Seconds for which changes are told: 20 years, in which a calendar is read again.
const TOLD_SECONDS: i64 = 20 * 366 * 24 * 60 * 60;

/// Clocks that change in one way: from an offset to another, with a name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    from: i32,
    to: i32,
    is_daylight: bool,
    name: String,
}

/// Writes each zone once, from its first time on.
pub(super) fn write<'a>(lines: &mut Lines, times: impl Iterator<Item = (&'a TimeZoneName, Timestamp)>) {
    let mut first: BTreeMap<&str, (&TimeZoneName, Timestamp)> = BTreeMap::new();
    for (zone, at) in times {
        let known = first.entry(zone.as_str()).or_insert((zone, at));
        known.1 = known.1.min(at);
    }
    for (name, (zone, from)) in first {
        lines.property("BEGIN", "VTIMEZONE");
        lines.property("TZID", name);
        changes(lines, &zone.zone(), from);
        lines.property("END", "VTIMEZONE");
    }
}

fn changes(lines: &mut Lines, zone: &TimeZone, from: Timestamp) {
    let end = Timestamp::from_second(from.as_second() + TOLD_SECONDS).unwrap_or(Timestamp::MAX);
    let mut groups: BTreeMap<Change, Vec<String>> = BTreeMap::new();
    // The change before the first time tells what is in force then; a zone without one is always the same.
    let before = zone.preceding(from).next().map(|change| change.timestamp());
    let later = zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < end);
    for at in before.into_iter().chain(later) {
        let old = Timestamp::from_second(at.as_second() - 1).map_or(Offset::UTC, |before| zone.to_offset(before));
        let new = zone.to_offset_info(at);
        let change = Change {
            from: old.seconds(),
            to: new.offset().seconds(),
            is_daylight: new.dst().is_dst(),
            name: new.abbreviation().to_owned(),
        };
        // An onset is told in the time that was in force before it.
        groups.entry(change).or_default().push(lines::local(old.to_datetime(at)));
    }
    if groups.is_empty() {
        let always = zone.to_offset_info(from);
        let seconds = always.offset().seconds();
        let name = always.abbreviation().to_owned();
        groups.insert(Change { from: seconds, to: seconds, is_daylight: false, name }, vec!["19700101T000000".into()]);
    }
    for (change, onsets) in groups {
        let kind = if change.is_daylight { "DAYLIGHT" } else { "STANDARD" };
        lines.property("BEGIN", kind);
        lines.property("DTSTART", &onsets[0]);
        lines.property("TZOFFSETFROM", &offset(change.from));
        lines.property("TZOFFSETTO", &offset(change.to));
        lines.property("TZNAME", &change.name);
        if onsets.len() > 1 {
            lines.property("RDATE", &onsets[1..].join(","));
        }
        lines.property("END", kind);
    }
}

/// `+0100`, with seconds where there are any.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (minutes, rest) = (seconds.abs() / 60, seconds.abs() % 60);
    let text = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
    if rest == 0 { text } else { format!("{text}{rest:02}") }
}
