//! Two things in turns, in many short pieces.
//!
//! What a busy machine does to a measurement mostly lasts longer than a few hundredths of a second. So where two things
//! differ by less than one of them does from one second to the next, a round is cut into slices: each slice of the one is
//! held against the slice of the other right beside it, and a round's figure is the median of its pairs. What the table then
//! shows is the median of the rounds, with the smallest and the largest.

use crate::{
    lab::{Lab, alternate},
    meter::Meter,
    spread::Spread,
    trouble::Trouble,
};

/// A round's pairs.
pub type Round<T> = Vec<(T, T)>;

/// The middle of something that is read off each slice.
pub fn middle<T>(slices: &[T], of: impl Fn(&T) -> f64) -> f64 {
    Spread::of(slices.iter().map(of)).median
}

/// Measures two things in turns, `slices` of each a round. `pid`: the server's process.
///
/// # Errors
/// When one of them can't be measured.
pub async fn rounds<T>(
    lab: &Lab<'_>,
    pid: Option<u32>,
    slices: usize,
    mut one: impl AsyncFnMut() -> Result<T, Trouble>,
    mut other: impl AsyncFnMut() -> Result<T, Trouble>,
) -> Result<Vec<Round<T>>, Trouble> {
    let mut rounds = Vec::new();
    for _ in 0..lab.pace.rounds {
        // A slice is too short for a figure of what else the machine did.
        let meter = Meter::start(pid);
        rounds.push(alternate(slices, &mut one, &mut other).await?);
        lab.note_others(&meter.read());
    }
    Ok(rounds)
}

/// The spread of the rounds' medians of something that is read off a pair.
pub fn spread<T>(rounds: &[Round<T>], of: impl Fn(&(T, T)) -> f64) -> Spread {
    Spread::of(rounds.iter().map(|pairs| middle(pairs, &of)))
}

/// The middle of something that is read off all pairs.
pub fn median<T>(rounds: &[Round<T>], of: impl Fn(&(T, T)) -> f64) -> f64 {
    Spread::of(rounds.iter().flatten().map(of)).median
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_slice_spoils_no_round() {
        let rounds = [vec![(1.0, 2.0), (1.0, 900.0), (1.0, 2.2)], vec![(1.0, 3.0), (1.0, 0.0), (1.0, 2.8)]];
        let spread = spread(&rounds, |(one, other)| other - one);
        assert_eq!((spread.min, spread.max), (1.2000000000000002, 1.7999999999999998));
        assert_eq!(median(&rounds, |(_, other)| *other), 2.5);
    }
}
