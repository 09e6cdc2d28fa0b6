//! A histogram of durations, exact to about 1.6 %.

use std::time::Duration;

/// Steps between a power of two and the next.
const STEPS: u64 = 64;

/// Durations, counted by size.
#[derive(Debug, Clone, Default)]
pub struct Latency {
    counts: Vec<u64>,
    count: u64,
}

impl Latency {
    /// Enters one.
    pub fn add(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let at = slot(ns);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.count += 1;
    }

    /// How many were entered.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The duration that the share `part` (0 to 1) of all does not exceed, in milliseconds; 0 if there is none.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let rank = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        at.map_or(0.0, |at| middle(at) / 1e6)
    }
}

fn slot(ns: u64) -> usize {
    if ns < STEPS {
        return ns as usize;
    }
    let power = ns.ilog2() - STEPS.ilog2();
    (u64::from(power) * STEPS + (ns >> power)) as usize
}

fn middle(slot: usize) -> f64 {
    let slot = slot as u64;
    if slot < 2 * STEPS {
        return slot as f64;
    }
    let power = slot / STEPS - 1;
    ((slot - power * STEPS) as f64 + 0.5) * (1_u64 << power) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_list() {
        let mut latency = Latency::default();
        let mut all: Vec<u64> = (0..10_000_u64).map(|at| at * at % 7_919_333 + 1).collect();
        all.iter().for_each(|ns| latency.add(Duration::from_nanos(*ns)));
        all.sort_unstable();
        for part in [0.0, 0.01, 0.5, 0.9, 0.99, 1.0] {
            let rank = ((part * 10_000_f64).ceil() as usize).max(1);
            let (is, should) = (latency.quantile_ms(part) * 1e6, all[rank - 1] as f64);
            assert!((is - should).abs() <= should * 0.016 + 1.0, "{part}: {is} for {should}");
        }
        assert_eq!(latency.count(), 10_000);
        assert_eq!(Latency::default().quantile_ms(0.99), 0.0);
    }
}
