//! Several rounds of one measure: the median, and how far the rounds lie apart.

use std::fmt;

/// The median and both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The middle one, or the mean of the two middle ones.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of these values. Of none, everything is not a number, and says so when shown.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let Some(last) = values.len().checked_sub(1) else {
            return Spread { min: f64::NAN, median: f64::NAN, max: f64::NAN };
        };
        let median = f64::midpoint(values[last / 2], values[last.div_ceil(2)]);
        Spread { min: values[0], median, max: values[last] }
    }

    /// The median, and between which values the median of ever so many more lies, in 19 cases of 20, however they are
    /// distributed: by their ranks. Of few values that is all of them.
    pub fn of_median(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        // Of so many coins, no more than this many land on one side, once in forty times.
        let outside = ((count - 1.96 * count.sqrt()) / 2.0).floor().max(1.0) as usize - 1;
        Spread::of(values.iter().take(values.len() - outside.min(values.len())).skip(outside).copied())
    }
}

/// `0.37 (0.35–0.39)`.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { min, median, max } = self;
        write!(f, "{} ({}–{})", figure(*median), figure(*min), figure(*max))
    }
}

/// A number with as many digits as mean something: 41,700; 155; 2.31; 0.087.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if size >= 10_000.0 => thousands((value / 100.0).round() * 100.0),
        _ if size >= 100.0 => thousands(value.round()),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).median, 2.5);
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn a_median_is_known_the_better_the_more_values_there_are() {
        let around = |count: u32| {
            let Spread { min, median, max } = Spread::of_median((1..=count).map(f64::from));
            (min, median, max)
        };
        // The ranks that tables of the sign test have for 95 %, or the next ones outwards.
        assert_eq!(around(5), (1.0, 3.0, 5.0));
        assert_eq!(around(12), (2.0, 6.5, 11.0));
        assert_eq!(around(20), (5.0, 10.5, 16.0));
        assert_eq!(around(100), (40.0, 50.5, 61.0));
        assert!(Spread::of_median([]).median.is_nan());
    }

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        for (value, text) in [
            (1_234_567.0, "1,234,600"),
            (41_723.0, "41,700"),
            (4172.4, "4,172"),
            (155.3, "155"),
            (15.53, "15.5"),
            (1.553, "1.55"),
            (0.0, "0.00"),
            (0.0871, "0.087"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(figure(value), text);
        }
    }
}
