//! Requests, counted and timed.

use std::{
    collections::BTreeMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// The upper bounds of the histogram's buckets, in microseconds. Long polls take up to 20 s.
pub(super) const BOUNDS_US: [u64; 14] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 20_000_000];

/// What a request was, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outcome {
    service: &'static str,
    action: &'static str,
    code: &'static str,
}

impl Outcome {
    /// `code`: `200`, or what the error is called.
    pub(crate) fn of(service: &'static str, action: &'static str, code: &'static str) -> Outcome {
        Outcome { service, action, code }
    }

    /// The same request with another end.
    pub(crate) fn but(self, code: &'static str) -> Outcome {
        Outcome { code, ..self }
    }
}

/// The requests of one action.
#[derive(Default)]
pub(super) struct Series {
    codes: RwLock<BTreeMap<&'static str, AtomicU64>>,
    /// One more than there are bounds: the last one has what took longer.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// A series at one moment.
pub(super) struct Figures {
    pub(super) service: &'static str,
    pub(super) action: &'static str,
    pub(super) codes: Vec<(&'static str, u64)>,
    /// Not cumulative.
    pub(super) buckets: Vec<u64>,
    pub(super) sum_us: u64,
}

/// All requests since the start. Counting takes no exclusive lock but for the first of its kind.
#[derive(Default)]
pub(crate) struct Counters {
    series: RwLock<BTreeMap<(&'static str, &'static str), Series>>,
}

impl Counters {
    /// A request has been answered.
    pub(crate) fn count(&self, outcome: &Outcome, took: Duration) {
        let key = (outcome.service, outcome.action);
        if let Some(series) = self.series.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return series.count(outcome.code, took);
        }
        self.series.write().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().count(outcome.code, took);
    }

    pub(super) fn figures(&self) -> Vec<Figures> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        series.iter().map(|(&(service, action), series)| series.figures(service, action)).collect()
    }
}

impl Series {
    fn count(&self, code: &'static str, took: Duration) {
        let us = took.as_micros() as u64;
        self.buckets[BOUNDS_US.partition_point(|bound| *bound < us)].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(us, Relaxed);
        if let Some(count) = self.codes.read().unwrap_or_else(PoisonError::into_inner).get(code) {
            count.fetch_add(1, Relaxed);
            return;
        }
        let mut codes = self.codes.write().unwrap_or_else(PoisonError::into_inner);
        codes.entry(code).or_default().fetch_add(1, Relaxed);
    }

    fn figures(&self, service: &'static str, action: &'static str) -> Figures {
        let codes = self.codes.read().unwrap_or_else(PoisonError::into_inner);
        Figures {
            service,
            action,
            codes: codes.iter().map(|(code, count)| (*code, count.load(Relaxed))).collect(),
            buckets: self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect(),
            sum_us: self.sum_us.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_fall_into_the_bucket_that_their_time_fits() {
        let counters = Counters::default();
        for us in [0, 100, 101, 30_000_000] {
            counters.count(&Outcome::of("sqs", "SendMessage", "200"), Duration::from_micros(us));
        }
        counters.count(&Outcome::of("sqs", "SendMessage", "OverLimit"), Duration::from_micros(100));
        let figures = counters.figures();
        assert_eq!(figures.len(), 1);
        assert_eq!(figures[0].codes, [("200", 4), ("OverLimit", 1)]);
        assert_eq!(figures[0].buckets[..2], [3, 1]);
        assert_eq!(figures[0].buckets.last(), Some(&1));
        assert_eq!(figures[0].sum_us, 30_000_301);
    }
}
