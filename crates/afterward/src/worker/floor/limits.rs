//! All limits of a worker, with a meter for each key that has something to count.

use super::{
    super::limit::{Key, Most},
    Entry,
    meter::Meter,
};
use std::collections::{BTreeSet, HashMap};
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

    pub(super) fn begin(&mut self, claims: &[Claim], now: Instant) {
        for (limit, key) in claims {
            let metered = &mut self.meters[*limit];
            metered.tidy(now);
            metered.of.entry(key.clone()).or_default().begin(metered.most, now);
        }
    }

    pub(super) fn end(&mut self, claims: &[Claim]) {
        for (limit, key) in claims {
            let metered = &mut self.meters[*limit];
            if let Some(meter) = metered.of.get_mut(key) {
                meter.end(metered.most);
            }
        }
    }

    /// Lets a message wait until there is room.
    pub(super) fn wait(&mut self, (limit, key): Claim, until: Option<Instant>, entry: Entry) {
        if let Some(until) = until {
            self.timers.insert((until, limit, key.clone()));
        }
        self.meters[limit].of.entry(key).or_default().waiting.push_back(entry);
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

    /// Takes out all that wait and that `which` says.
    pub(super) fn take_waiting(&mut self, which: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut taken = Vec::new();
        for meter in self.meters.iter_mut().flat_map(|metered| metered.of.values_mut()) {
            let (out, stay) = std::mem::take(&mut meter.waiting).into_iter().partition(&which);
            meter.waiting = stay;
            let mut out: std::collections::VecDeque<Entry> = out;
            taken.extend(out.drain(..));
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
