//! Purges, and the further lives of messages that move tasks took back.

use super::message::{Deleting, Delivered, Message, Power};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{CallId, QueueIndex};
use afterward_names::MessageId;

impl Checker {
    /// A purge is about to be taken: what certainly is in the queue certainly goes.
    pub(super) fn purging(&mut self, call: CallId, queue: QueueIndex) {
        let certain = |message: &Message| {
            let stays = !self.perhaps_dead(message) && !self.perhaps_deleted(message);
            message.acknowledged && message.home == queue && stays
        };
        let gone: Vec<MessageId> =
            self.messages.iter().filter(|(_, message)| certain(message)).map(|(id, _)| *id).collect();
        for id in gone {
            if let Some(message) = self.messages.get_mut(&id) {
                message.deletes.push(Deleting { call, lease: None, power: Power::Certain });
            }
        }
        self.purges.entry(queue).or_default().push(call);
    }

    /// Whether a purge after its sending may have removed it.
    pub(super) fn perhaps_purged(&self, message: &Message) -> bool {
        let sent = message.candidates.iter().min();
        let after = |call: &&CallId| sent.is_none_or(|sent| sent < *call) && self.calls[**call].fate != Fate::Refused;
        self.places(message).filter_map(|queue| self.purges.get(&queue)).flatten().any(|call| after(&call))
    }

    /// Whether a move task may have taken it back from its dead-letter queue.
    pub(super) fn perhaps_moved(&self, message: &Message) -> bool {
        self.perhaps_dead(message) && self.is_dead_letters_moved(message)
    }

    /// Whether there may have been a move task of the dead-letter queue that it goes to.
    fn is_dead_letters_moved(&self, message: &Message) -> bool {
        let moves = self.dead_letters(message).and_then(|queue| self.moves.get(&queue));
        moves.into_iter().flatten().any(|call| self.calls[*call].fate != Fate::Refused)
    }

    /// Each life of a message needs a move task, follows on the one before, and does not follow on a delete.
    pub(super) fn check_lives(&self, id: MessageId, lease: u64, delivered: &Delivered) -> Result<(), Violation> {
        // One slow task may take a message back that meanwhile was dead-lettered again.
        let moved = id.redrives() == 0 || self.is_dead_letters_moved(&self.messages[&id]);
        ensure(moved, || "there was no move task".into())?;
        let others =
            self.messages.iter().filter(|(other, _)| **other != id && other.after_redrives(0) == id.after_redrives(0));
        for (other, message) in others {
            if other.redrives() > id.redrives() {
                let later = message.deliveries.keys().next().copied();
                ensure(later.is_none_or(|later| later > lease), || format!("it lives on as {other} already"))?;
                continue;
            }
            let deleted = self.certainly_deleted(message);
            ensure(deleted.is_none(), || format!("it was deleted as {other}: {deleted:?}"))?;
            let held = message.deliveries.values().find(|before| self.ends_ms(before).0 > delivered.began_ms.1);
            ensure(held.is_none(), || format!("it was held as {other}: {held:?}"))?;
        }
        Ok(())
    }
}
