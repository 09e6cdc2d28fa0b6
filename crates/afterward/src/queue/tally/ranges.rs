//! Sets of numbers that were mostly counted up, as ranges: `0-99,102`.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The first number of each range, and its last. Ranges neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds all numbers from `first` to `last`.
    pub(super) fn add(&mut self, mut first: u64, mut last: u64) {
        if let Some((&before, &end)) = self.0.range(..=first).next_back()
            && end.saturating_add(1) >= first
        {
            first = before;
        }
        while let Some((&next, &end)) = self.0.range(first..).next() {
            if next > last.saturating_add(1) {
                break;
            }
            last = last.max(end);
            self.0.remove(&next);
        }
        self.0.insert(first, last);
    }

    pub(super) fn unite(&mut self, other: &Ranges) {
        for (first, last) in &other.0 {
            self.add(*first, *last);
        }
    }

    /// The first number of each range, and its last.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(first, last)| (*first, *last))
    }

    /// Whether some number is in both.
    pub(super) fn meet(&self, other: &Ranges) -> bool {
        let met = |(first, last): (&u64, &u64)| self.0.range(..=*last).next_back().is_some_and(|(_, end)| end >= first);
        other.0.iter().any(met)
    }

    /// The numbers that are in both.
    pub(super) fn common(&self, other: &Ranges) -> Ranges {
        let mut common = Ranges::default();
        for (first, last) in other.iter() {
            let before = self.0.range(..first).next_back();
            for (own, end) in before.into_iter().chain(self.0.range(first..=last)) {
                if *end >= first {
                    common.add(first.max(*own), last.min(*end));
                }
            }
        }
        common
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all numbers of the other set are in this one.
    pub(super) fn cover(&self, other: &Ranges) -> bool {
        let covered =
            |(first, last): (&u64, &u64)| self.0.range(..=*first).next_back().is_some_and(|(_, end)| end >= last);
        other.0.iter().all(covered)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (first, last)) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Ranges {
    type Err = String;

    fn from_str(text: &str) -> Result<Ranges, String> {
        let mut ranges = Ranges::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{part}` is no range of numbers"));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("the range `{part}` ends before it begins"));
            }
            ranges.add(first, last);
        }
        Ok(ranges)
    }
}

impl TryFrom<String> for Ranges {
    type Error = String;

    fn try_from(text: String) -> Result<Ranges, String> {
        text.parse()
    }
}

impl From<Ranges> for String {
    fn from(ranges: Ranges) -> String {
        ranges.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::tally::dice::Dice;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_are_sets_of_numbers() {
        for seed in 0..300 {
            let mut dice = Dice::new(seed);
            let (mut sets, mut ranges) = ([BTreeSet::new(), BTreeSet::new()], [Ranges::default(), Ranges::default()]);
            for _ in 0..dice.below(12) {
                let (which, first, more) = (dice.below(2), dice.below(30) as u64, dice.below(4) as u64);
                sets[which].extend(first..=first + more);
                ranges[which].add(first, first + more);
            }
            let text = ranges[0].to_string();
            assert_eq!(text.parse::<Ranges>().unwrap(), ranges[0], "{text}");
            let expected: BTreeSet<u64> = ranges[0].0.iter().flat_map(|(first, last)| *first..=*last).collect();
            assert_eq!(expected, sets[0], "{text}");
            assert_eq!(ranges[0].cover(&ranges[1]), sets[0].is_superset(&sets[1]), "{ranges:?}");
            assert_eq!(ranges[0].meet(&ranges[1]), !sets[0].is_disjoint(&sets[1]), "{ranges:?}");
            let common = ranges[0].common(&ranges[1]);
            let common: BTreeSet<u64> = common.0.iter().flat_map(|(first, last)| *first..=*last).collect();
            assert_eq!(common, &sets[0] & &sets[1], "{ranges:?}");
            let mut both = ranges[0].clone();
            both.unite(&ranges[1]);
            let mut other = ranges[1].clone();
            other.unite(&ranges[0]);
            assert_eq!(both, other);
            assert!(both.cover(&ranges[0]) && both.cover(&ranges[1]));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (text, read) in
            [("", ""), ("3", "3"), ("7,0-2,3", "0-3,7"), ("18446744073709551615", "18446744073709551615")]
        {
            assert_eq!(text.parse::<Ranges>().unwrap().to_string(), read);
        }
        for text in ["a", "1-", "-1", "3-1", "1;2"] {
            assert!(text.parse::<Ranges>().is_err(), "{text}");
        }
    }
}
