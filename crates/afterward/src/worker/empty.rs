//! Working until the queue has nothing more to hand out: when to look again, and when enough was seen.
//!
//! A receive that brings nothing says that the queue was empty only if nothing was in hand from its beginning to its end:
//! what is being handled may put something back, or something new in. So one receive is under way at a time, and after a
//! fruitless one the next begins when something in hand has come to its end.
//!
//! What waits for others to end is in hand; what waits for time to pass, or for a paused type, is not: the whole search is one
//! moment. So that all of it is seen, everybody waits here and nobody is sent away, for the clock of a queue may stand still,
//! and who is away then is out of sight for good.

use super::{
    floor::{MostHeld, Plan},
    limit::Most,
};
use std::time::Duration;

/// What a worker that stops when its queue is empty has seen of the queue.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Something was in hand when the receive under way began.
    began_busy: bool,
    /// The last receive brought nothing, and nothing in hand has ended since.
    fruitless: bool,
}

impl Search {
    /// Whether to look now.
    pub(super) fn may_look(&self, is_looking: bool) -> bool {
        !is_looking && !self.fruitless
    }

    /// A receive begins.
    pub(super) fn look(&mut self, busy: bool) {
        self.began_busy = busy;
    }

    /// Something in hand has come to its end.
    pub(super) fn ended(&mut self) {
        self.fruitless = false;
    }

    /// A receive has brought something or nothing. Answers whether the queue is empty.
    pub(super) fn looked(&mut self, found: bool, busy: bool) -> bool {
        self.fruitless = !found && busy;
        !found && !busy && !self.began_busy
    }
}

/// What a floor is given of this, to work through what a queue has at one moment.
pub(super) fn at_one_moment(mut plan: Plan) -> Plan {
    const ALL: usize = usize::MAX / 4;
    // Longer than any stop takes, so that nobody waits for it.
    const NOT_IN_THIS_MOMENT: Duration = Duration::from_secs(10 * 365 * 86_400);
    for limit in &mut plan.limits {
        if let Most::Within(_, time) = limit {
            *time = NOT_IN_THIS_MOMENT;
        }
    }
    Plan { room: ALL, most_held: MostHeld { messages: ALL, bytes: ALL }, ..plan }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_empty_when_nothing_came_while_nothing_was_in_hand() {
        for (began_busy, found, ended_busy, is_empty, looks_again) in [
            (false, false, false, true, true),
            (false, true, true, false, true),
            // What was in hand then may have sent something after the queue had looked.
            (true, false, false, false, true),
            (true, false, true, false, false),
        ] {
            let mut search = Search::default();
            assert!(search.may_look(false) && !search.may_look(true));
            search.look(began_busy);
            assert_eq!(search.looked(found, ended_busy), is_empty);
            assert_eq!(search.may_look(false), looks_again);
            search.ended();
            assert!(search.may_look(false));
        }
    }
}
