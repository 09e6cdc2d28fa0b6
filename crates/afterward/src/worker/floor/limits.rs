//! All limits of a worker, with a meter for each key that has something to count.

use super::{
    super::limit::{Key, Most},
    Entry,
    meter::Meter,
};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};
use tokio::time::Instant;

/// Meters of keys are tidied up when there are this many, and then each time they have doubled.
const MANY: usize = 1024;

/// One limit of one worker, by its number.
pub(super) type Claim = (usize, Key);

#[derive(Debug, Default)]
pub(super) struct Limits {
    meters: Vec<Metered>,
    /// When a meter that has somebody waiting has room again, where time makes room.
    timers: BTreeSet<(Instant, usize, Key)>,
}

#[derive(Debug)]
struct Metered {
    most: Most,
    of: HashMap<Key, Meter>,
    tidy_at: usize,
}

impl Limits {
    pub(super) fn new(most: impl IntoIterator<Item = Most>) -> Limits {
        let metered = |most| Metered { most, of: HashMap::new(), tidy_at: MANY };
        Limits { meters: most.into_iter().map(metered).collect(), timers: BTreeSet::new() }
    }

    /// The first of these that has no room.
    pub(super) fn full(&mut self, claims: &[Claim], now: Instant) -> Option<(Claim, Option<Instant>)> {
        claims.iter().find_map(|(limit, key)| {
            let Metered { most, of, .. } = &mut self.meters[*limit];
            let until = of.get_mut(key)?.has_room(*most, now).err()?;
            Some(((*limit, key.clone()), until))
        })
    }

    /// One begins; `waited`: not as soon as it came.
    pub(super) fn begin(&mut self, claims: &[Claim], waited: bool, now: Instant) {
        for (limit, key) in claims {
            let metered = &mut self.meters[*limit];
            metered.tidy(now);
            let meter = metered.of.entry(key.clone()).or_default();
            meter.begin(metered.most, now);
            if !waited {
                meter.line.open();
            }
        }
    }

    /// One ends that was begun then.
    pub(super) fn end(&mut self, claims: &[Claim], begun: Instant, now: Instant) {
        for (limit, key) in claims {
            let metered = &mut self.meters[*limit];
            if let Some(meter) = metered.of.get_mut(key) {
                meter.end(metered.most, begun, now);
            }
        }
    }

    /// Whether one who has to wait for this has its turn within such time.
    pub(super) fn is_soon(&mut self, (limit, key): &Claim, soon: Duration, now: Instant) -> bool {
        let metered = &mut self.meters[*limit];
        metered.of.entry(key.clone()).or_default().is_soon(metered.most, soon, now)
    }

    /// For how long one who has to wait for this is to stay away.
    pub(super) fn send_away(&mut self, (limit, key): &Claim, now: Instant) -> Duration {
        let metered = &mut self.meters[*limit];
        metered.of.entry(key.clone()).or_default().send_away(metered.most, now)
    }

    /// Whether somebody waits for this limit, of those that it counts without a key.
    pub(super) fn is_waited_for(&self, limit: usize) -> bool {
        self.meters[limit].of.get(&None).is_some_and(|meter| !meter.waiting.is_empty())
    }

    /// Lets a message wait until there is room.
    pub(super) fn wait(&mut self, (limit, key): Claim, until: Option<Instant>, entry: Entry, now: Instant) {
        if let Some(until) = until {
            self.timers.insert((until, limit, key.clone()));
        }
        let meter = self.meters[limit].of.entry(key).or_default();
        meter.line.bar(now);
        meter.waiting.push_back(entry);
    }

    /// The first of those that wait, if there is room now.
    pub(super) fn next(&mut self, (limit, key): &Claim, now: Instant) -> Option<Entry> {
        let metered = &mut self.meters[*limit];
        let meter = metered.of.get_mut(key)?;
        if meter.waiting.is_empty() {
            return None;
        }
        match meter.has_room(metered.most, now) {
            Ok(()) => meter.waiting.pop_front(),
            Err(until) => {
                self.timers.extend(until.map(|until| (until, *limit, key.clone())));
                None
            }
        }
    }

    /// When time makes room next.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, ..)| *at)
    }

    /// Where time has made room.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Claim> {
        let mut due = Vec::new();
        while let Some((at, ..)) = self.timers.first()
            && *at <= now
            && let Some((_, limit, key)) = self.timers.pop_first()
        {
            due.push((limit, key));
        }
        due
    }

    /// Takes out all that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<Entry> {
        let meters = self.meters.iter_mut().flat_map(|metered| metered.of.values_mut());
        meters.flat_map(|meter| std::mem::take(&mut meter.waiting)).collect()
    }

    /// Takes out those that wait, but for those that `stays` says; it is told when time makes room for them, where time does.
    pub(super) fn take_waiting_but(
        &mut self,
        now: Instant,
        stays: impl Fn(&Entry, Option<Instant>) -> bool,
    ) -> Vec<Entry> {
        let mut taken = Vec::new();
        for Metered { most, of, .. } in &mut self.meters {
            for meter in of.values_mut().filter(|meter| !meter.waiting.is_empty()) {
                let until = meter.has_room(*most, now).err().flatten();
                for entry in std::mem::take(&mut meter.waiting) {
                    if stays(&entry, until) { meter.waiting.push_back(entry) } else { taken.push(entry) }
                }
            }
        }
        taken
    }
}

impl Metered {
    /// Forgets keys that have nothing to count, now and then.
    fn tidy(&mut self, now: Instant) {
        if self.of.len() >= self.tidy_at {
            let most = self.most;
            self.of.retain(|_, meter| !meter.is_blank(most, now));
            self.tidy_at = MANY.max(self.of.len() * 2);
        }
    }
}
