//! Points in time as Scheduler writes them: seconds since 1970, with a fraction or without.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Before 1970 it is negative.
    pub ms: i64,
}

/// Further from 1970 than any calendar goes; beyond it, milliseconds would not fit.
const MOST_S: f64 = 1e14;

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.ms % 1000 {
            0 => serializer.serialize_i64(self.ms / 1000),
            _ => serializer.serialize_f64(self.ms as f64 / 1000.0),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if seconds.is_nan() || seconds.abs() > MOST_S {
            return Err(D::Error::custom("a timestamp is beyond all calendars"));
        }
        Ok(Timestamp { ms: (seconds * 1000.0).round() as i64 })
    }
}
