//! A schedule expression of any kind.

use std::str::FromStr;

use crate::{At, Cron, Invalid, Rate, Zone};

/// A set of times, as its author wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expression {
    /// `at(2026-11-22T10:00:00)`.
    At(At),
    /// `rate(5 minutes)`.
    Rate(Rate),
    /// `cron(0 8 ? * MON-FRI *)`, or a Unix line.
    Cron(Cron),
}

impl Expression {
    /// Parses the five fields of a Unix crontab, without the command: `0 8 * * MON-FRI`.
    pub fn unix_cron(text: &str) -> Result<Expression, Invalid> {
        Cron::parse_unix(text).map(Expression::Cron)
    }

    /// True of an expression that names one moment.
    pub fn is_one_time(&self) -> bool {
        matches!(self, Expression::At(_))
    }

    /// The first time at or after `from_ms`; the anchor is a rate's first time.
    pub(crate) fn from(&self, from_ms: u64, zone: &Zone, anchor_ms: u64) -> Option<u64> {
        match self {
            Expression::At(at) => at.moment_ms(zone).filter(|ms| *ms >= from_ms),
            Expression::Rate(rate) => rate.from(from_ms, anchor_ms),
            Expression::Cron(cron) => cron.from(from_ms, zone),
        }
    }
}

impl FromStr for Expression {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Expression, Invalid> {
        let inner = |kind: &str| text.trim().strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(text) = inner("at") {
            At::parse(text).map(Expression::At)
        } else if let Some(text) = inner("rate") {
            Rate::parse(text).map(Expression::Rate)
        } else if let Some(text) = inner("cron") {
            Cron::parse(text).map(Expression::Cron)
        } else {
            Err(Invalid::Kind(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_told_by_the_word_before_the_parentheses() {
        assert!(matches!("at(2026-11-22T10:00:00)".parse(), Ok(Expression::At(_))));
        assert!(matches!("rate(5 minutes)".parse(), Ok(Expression::Rate(_))));
        assert!(matches!("cron(0 8 ? * MON-FRI *)".parse(), Ok(Expression::Cron(_))));
        for wrong in
            ["", "0 8 ? * MON-FRI *", "every(5 minutes)", "rate 5 minutes", "rate(5 minutes", "Rate(5 minutes)"]
        {
            assert_eq!(wrong.parse::<Expression>(), Err(Invalid::Kind(wrong.to_owned())));
        }
    }
}
