//! Reading the state.

use crate::finished::Finished;
use crate::queue::Queue;
use crate::slab::{Entry, Place, Slab};
use crate::{Counts, Cursor, JobView, MessageKey, MessageView, MoveView, QueueId, QueueView, Standing, State};
use afterward_names::{AccountId, MessageId, QueueAddress, QueueArn, QueueName, Region};

impl State {
    /// The queue at an address.
    pub fn queue_at(&self, address: &QueueAddress) -> Option<QueueView<'_>> {
        self.at(address).map(|queue| queue.view(&self.slab))
    }

    /// The queue with an id.
    pub fn queue(&self, id: QueueId) -> Option<QueueView<'_>> {
        self.queues.get(&id).map(|queue| queue.view(&self.slab))
    }

    /// All queues, in the order of their addresses.
    pub fn all_queues(&self) -> impl Iterator<Item = QueueView<'_>> {
        self.directory.iter().filter_map(|id| self.queue(id))
    }

    /// The queues of an account and region whose names start with `prefix`, in order, after `after`.
    pub fn queues<'a>(
        &'a self,
        account: AccountId,
        region: &Region,
        prefix: &'a str,
        after: Option<&QueueName>,
    ) -> impl Iterator<Item = QueueView<'a>> + use<'a> {
        let begins_before = |name: &QueueName| match after {
            Some(after) => name <= after || name.as_str() < prefix,
            None => name.as_str() < prefix,
        };
        self.directory
            .named(account, region, begins_before)
            .take_while(move |(name, _)| name.as_str().starts_with(prefix))
            .filter_map(|(_, id)| self.queue(*id))
    }

    /// The queues whose redrive policy names `queue`, in the order of their addresses.
    pub fn dead_letter_sources<'a>(&'a self, queue: &'a QueueArn) -> impl Iterator<Item = QueueView<'a>> {
        let names = move |view: &QueueView<'_>| {
            view.attributes.redrive.as_ref().is_some_and(|redrive| redrive.dead_letter_queue == *queue)
        };
        self.all_queues().filter(names)
    }

    /// The move tasks of a source queue, newest first: those running and at most ten ended ones.
    pub fn moves(&self, source: &QueueArn) -> Vec<MoveView> {
        self.moves.of(source)
    }

    /// A message.
    pub fn message(&self, key: MessageKey) -> Option<MessageView> {
        self.slab.find(key).and_then(|entry| self.view(&entry, key.slot))
    }

    /// A queue's messages by the time they were sent, after `after`. Each step costs a logarithm.
    pub fn messages(&self, queue: QueueId, after: Option<Cursor>) -> impl Iterator<Item = MessageView> {
        let slots = self.queues.get(&queue).into_iter().flat_map(move |queue| queue.slots_after(after, &self.slab));
        slots.filter_map(|slot| self.view(&self.slab.get(slot)?, slot))
    }

    /// What became of the job with this id, at first or after a redrive; of any other message, as long as it is there.
    pub fn job(&self, id: MessageId) -> Option<JobView> {
        let key = MessageKey::from_u64(id.key());
        let is_it = |entry: &Entry| entry.random == id.random();
        if let Some(entry) = self.slab.find(key).filter(is_it) {
            return self.view(&entry, key.slot).map(JobView::Present);
        }
        let (finished, address) = self.finished.get(id)?;
        let (Finished { receive_count, finished_ms, queue }, address) = (*finished, address.clone());
        Some(match self.finished.dropped(id) {
            None => JobView::Succeeded { receive_count, finished_ms, queue, address },
            Some(failure) => JobView::Dropped { receive_count, finished_ms, queue, address, failure },
        })
    }

    /// How many messages there are in all.
    pub fn message_count(&self) -> u64 {
        u64::from(self.slab.len())
    }

    /// How many bytes of the log the records of their content take.
    pub fn content_bytes(&self) -> u64 {
        self.slab.content_bytes()
    }

    fn view(&self, entry: &Entry, slot: u32) -> Option<MessageView> {
        let queue = self.queues.get(&entry.queue)?;
        let standing = match entry.place {
            Place::Visible if queue.is_behind_group(entry, &self.slab) => Standing::BehindGroup,
            Place::Visible => Standing::Ready,
            Place::Delayed => Standing::Delayed { until_ms: entry.due_ms },
            Place::Held => Standing::Held,
            Place::Leased => Standing::Leased { until_ms: entry.due_ms },
        };
        Some(MessageView {
            key: entry.key(slot),
            id: self.id_now(entry, slot),
            queue: entry.queue,
            standing,
            order: entry.order,
            sent_ms: entry.sent_ms,
            first_received_ms: self.sides.first_received_ms(slot),
            receive_count: self.sides.receive_count(slot),
            received_elsewhere: self.sides.received_elsewhere(slot),
            source: self.sides.source(slot).cloned(),
            location: entry.location(),
            failure: self.sides.failures.get(&slot).copied(),
            expires_ms: (entry.place != Place::Held)
                .then(|| entry.sent_ms.saturating_add(queue.attributes.retention_ms)),
            batch: self.batches.of(slot),
        })
    }

    /// The id of a message after its redrives.
    pub(crate) fn id_now(&self, entry: &Entry, slot: u32) -> MessageId {
        entry.first_id(slot).after_redrives(self.sides.redrives(slot))
    }
}

impl Queue {
    fn view(&self, slab: &Slab) -> QueueView<'_> {
        QueueView {
            id: self.id,
            address: &self.address,
            attributes: &self.attributes,
            tags: self.tags(),
            created_ms: self.created_ms,
            modified_ms: self.modified_ms,
            counts: Counts {
                visible: u64::from(self.visible),
                delayed: u64::from(self.delayed),
                in_flight: u64::from(self.in_flight),
                oldest_sent_ms: self.oldest_sent_ms(slab),
            },
        }
    }
}
