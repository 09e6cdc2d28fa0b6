//! Which batches count: the rule that every reader of a log applies, so that all of them see the same one.
//!
//! A batch is accepted if its epoch is the current one and the batch it names as its predecessor is the last accepted
//! one; a claim must name its predecessor too, and sets a higher epoch. What is not accepted was written by an owner
//! that had been fenced off. An engine that keeps such batches out when they are written (segment files under their
//! lock) has none, and takes one for damage.

use crate::{Epoch, Position};

/// What a batch says about its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) position: Position,
    pub(crate) epoch: Epoch,
    pub(crate) claim: bool,
    pub(crate) previous: Position,
    pub(crate) previous_checksum: u32,
    pub(crate) checksum: u32,
}

/// Where a reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acceptance {
    pub(crate) epoch: Epoch,
    pub(crate) last: Position,
    pub(crate) last_checksum: u32,
}

impl Acceptance {
    /// Before the first batch of a log.
    pub(crate) const START: Acceptance = Acceptance { epoch: 0, last: 0, last_checksum: 0 };

    /// Just before `link`, whose predecessors are not retained: takes its word for them.
    pub(crate) fn just_before(link: &Link) -> Acceptance {
        Acceptance {
            epoch: if link.claim { link.epoch.saturating_sub(1) } else { link.epoch },
            last: link.previous,
            last_checksum: link.previous_checksum,
        }
    }

    /// Steps over `link`, or says why it does not follow.
    pub(crate) fn accept(&mut self, link: &Link) -> Result<(), String> {
        let Acceptance { epoch, last, last_checksum } = *self;
        if link.previous != last || link.position <= last {
            return Err(format!("batch {} follows batch {}, not batch {last}", link.position, link.previous));
        }
        if link.previous_checksum != last_checksum {
            return Err(format!("batch {} follows another batch {last} than the one that is here", link.position));
        }
        if link.claim && link.epoch <= epoch {
            return Err(format!("batch {} claims epoch {} after epoch {epoch}", link.position, link.epoch));
        }
        if !link.claim && link.epoch != epoch {
            return Err(format!("batch {} is of epoch {}, not of epoch {epoch}", link.position, link.epoch));
        }
        *self = Acceptance { epoch: link.epoch, last: link.position, last_checksum: link.checksum };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(position: Position, epoch: Epoch, claim: bool, previous: Position) -> Link {
        Link { position, epoch, claim, previous, previous_checksum: previous as u32, checksum: position as u32 }
    }

    /// An old owner of epoch 1 pipelines: its append after 1 loses against the claim at 2, the one after 2 is written.
    #[test]
    fn a_pipelining_zombie_is_skipped() {
        let mut reader = Acceptance::START;
        let steps = [
            (link(1, 1, true, 0), true, "the first claim"),
            (link(2, 2, true, 1), true, "another owner's claim"),
            (link(3, 1, false, 2), false, "the zombie, whose predecessor matches by chance"),
            (link(4, 2, false, 3), false, "nobody follows what was skipped"),
            (link(5, 3, true, 2), true, "a claim that skips it"),
            (link(6, 3, true, 5), false, "a claim in the same epoch"),
            (link(7, 3, false, 5), true, "the owner goes on"),
            (Link { previous_checksum: 9, ..link(8, 3, false, 7) }, false, "another history"),
        ];
        for (step, accepted, what) in steps {
            assert_eq!(reader.accept(&step).is_ok(), accepted, "{what}");
        }
    }
}
