//! VTIMEZONE: the changes of the zones that a calendar names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneOffsetInfo};
use todo_domain::TimeZoneName;

use super::lines::{self, Lines};

/// Seconds for which changes are told: 20 years, in which a calendar is read again.
const TOLD_SECONDS: i64 = 20 * 366 * 24 * 60 * 60;

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
    // The change before the first time tells what is in force then; a zone without one is always the same.
    let before = zone.preceding(from).next().map(|change| change.timestamp());
    let later = zone.following(from).map(|change| change.timestamp()).take_while(|at| *at < end);
    let mut is_told = false;
    for at in before.into_iter().chain(later) {
        let old = Timestamp::from_second(at.as_second() - 1).map_or(Offset::UTC, |before| zone.to_offset(before));
        // An onset is told in the time that was in force before it.
        observance(lines, &lines::local(old.to_datetime(at)), old, &zone.to_offset_info(at));
        is_told = true;
    }
    if !is_told {
        let always = zone.to_offset_info(from);
        observance(lines, "19700101T000000", always.offset(), &always);
    }
}

/// One change. Each has a component of its own: not every reader takes several in one.
fn observance(lines: &mut Lines, onset: &str, old: Offset, new: &TimeZoneOffsetInfo<'_>) {
    let kind = if new.dst().is_dst() { "DAYLIGHT" } else { "STANDARD" };
    lines.property("BEGIN", kind);
    lines.property("DTSTART", onset);
    lines.property("TZOFFSETFROM", &offset(old.seconds()));
    lines.property("TZOFFSETTO", &offset(new.offset().seconds()));
    lines.property("TZNAME", new.abbreviation());
    lines.property("END", kind);
}

/// `+0100`, with seconds where there are any.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (minutes, rest) = (seconds.abs() / 60, seconds.abs() % 60);
    let text = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
    if rest == 0 { text } else { format!("{text}{rest:02}") }
}
