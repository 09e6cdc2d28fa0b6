//! Who waits on a thread, and for what.
//!
//! One of them waits at each gate for all (`assist.rs`): the others are kept here, a party for each gate, until it has
//! opened. It knows nothing of threads, and wakes nobody.

use crate::partition::Gate;
use std::{mem, task::Waker};

/// All parties of a thread: mostly one for the batch in flight and one for what is pending.
#[derive(Default)]
pub(crate) struct Parties(Vec<Party>);

/// Those who wait at the same gate.
struct Party {
    gate: Gate,
    wakers: Vec<Waker>,
}

impl Parties {
    /// Adds one who waits at `gate`; who has just asked is not noted twice.
    pub(crate) fn add(&mut self, gate: &Gate, waker: &Waker) {
        match self.0.iter_mut().rev().find(|party| party.gate.is(gate)) {
            Some(party) => party.add(waker),
            None => self.0.push(Party { gate: gate.clone(), wakers: vec![waker.clone()] }),
        }
    }

    /// Takes out those whose gates have opened, to be woken.
    pub(crate) fn take_free(&mut self) -> Vec<Waker> {
        let mut free = Vec::new();
        self.0.retain_mut(|party| {
            let is_open = party.gate.is_open();
            if is_open {
                free.append(&mut party.wakers);
            }
            !is_open
        });
        free
    }

    /// Takes out everybody, to be woken.
    pub(crate) fn take_all(&mut self) -> Vec<Waker> {
        mem::take(&mut self.0).into_iter().flat_map(|party| party.wakers).collect()
    }
}

impl Party {
    fn add(&mut self, waker: &Waker) {
        if !self.wakers.iter().rev().take(8).any(|known| known.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Sleeper(AtomicUsize);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn those_whose_gate_has_opened_are_woken_once_and_the_others_stay() {
        let sleepers: [Arc<Sleeper>; 3] = std::array::from_fn(|_| Arc::default());
        let gates = [Gate::default(), Gate::default()];
        let mut parties = Parties::default();
        let woken = |wakers: Vec<Waker>| {
            wakers.into_iter().for_each(Waker::wake);
            sleepers.each_ref().map(|sleeper| sleeper.0.swap(0, Relaxed))
        };
        for (gate, at) in [(0, 0), (1, 1), (0, 2), (0, 0), (1, 1)] {
            parties.add(&gates[gate], &sleepers[at].clone().into());
        }
        assert_eq!(woken(parties.take_free()), [0, 0, 0]);
        gates[0].open(Ok(()));
        assert_eq!(woken(parties.take_free()), [1, 0, 1]);
        assert_eq!(woken(parties.take_free()), [0, 0, 0]);
        assert_eq!(woken(parties.take_all()), [0, 1, 0]);
        gates[1].open(Ok(()));
        assert_eq!(woken(parties.take_free()), [0, 0, 0]);
    }
}
