//! What a receive certainly finds.

use super::message::Message;
use super::{Checker, Fate};
use crate::history::{Call, CallId, QueueIndex};
use afterward_names::MessageId;

impl Checker {
    /// A message that certainly is in `queue` at `now_ms`, visible and its group's first. `quiet`: nothing is under way,
    /// so that receives that wait hold nothing.
    pub(super) fn receivable(&self, queue: QueueIndex, now_ms: u64, quiet: bool) -> Option<MessageId> {
        let uncertain = |call: CallId| {
            let record = &self.calls[call];
            let Call::Receive(receiving) = &record.call else { return false };
            match record.fate {
                Fate::Open => !(quiet && record.waited && record.deposed_ms.is_none()),
                _ => now_ms < record.ended_ms + self.lease_ms(receiving).1,
            }
        };
        if self.uncertain_receives(queue).any(uncertain) {
            return None;
        }
        let certain = |(_, message): &(&MessageId, &Message)| {
            message.home == queue && self.is_certainly_visible(message, now_ms) && self.is_first(message, now_ms)
        };
        self.messages.iter().find(certain).map(|(id, _)| *id)
    }

    fn is_certainly_visible(&self, message: &Message, now_ms: u64) -> bool {
        let delay_ms = self.shapes[message.home].delay_ms.most;
        let delays = message.candidates.iter().filter_map(|call| self.sending(*call)?.delay_ms.or(Some(delay_ms)));
        let visible_ms = self.latest_origin_ms(message) + delays.max().unwrap_or(0);
        let expires_ms = self.expires_ms(message);
        message.acknowledged
            && !self.perhaps_waits(message)
            && !self.perhaps_deleted(message)
            && !self.perhaps_dead(message)
            && visible_ms <= now_ms
            && now_ms < expires_ms
            && self.is_free(message, now_ms)
    }

    /// Whether all that held it have certainly let go.
    fn is_free(&self, message: &Message, now_ms: u64) -> bool {
        message.deliveries.values().all(|delivered| self.ends_ms(delivered).1 <= now_ms)
    }

    /// On a FIFO queue: whether everything else of its group certainly is behind it or deleted, and nothing of it held.
    fn is_first(&self, message: &Message, now_ms: u64) -> bool {
        if !self.queues[message.home].is_fifo() {
            return true;
        }
        let Some(group) = self.group(message) else { return false };
        self.groups.get(&(message.home, group)).into_iter().flatten().all(|call| {
            let record = &self.calls[*call];
            let made = record.told.or(record.message).and_then(|id| self.messages.get(&id));
            made.map_or(record.fate == Fate::Refused, |other| {
                let behind = other.order.zip(message.order).is_some_and(|(other, own)| other >= own);
                let stays = !self.perhaps_moved(other);
                let buried = self.certainly_buried(other).is_some() && stays;
                self.certainly_deleted(other).is_some() || buried || behind && stays && self.is_free(other, now_ms)
            })
        })
    }
}
