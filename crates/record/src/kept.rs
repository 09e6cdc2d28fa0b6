//! State that compaction wrote forward.

use crate::Glance;
use crate::glance::key_of;
use crate::reader::{Reader, Reason, flags};
use crate::writer::Writer;
use afterward_machine::{KeptDedup, KeptFinished, KeptKey, KeptMessage, KeptQueue, LeaseId};

// Of a message.
const GROUP: u8 = 1;
const JOB: u8 = 1 << 1;
const LEASED: u8 = 1 << 2;
const SOURCE: u8 = 1 << 3;
const FAILURE: u8 = 1 << 4;
const ALL: u8 = GROUP | JOB | LEASED | SOURCE | FAILURE;

impl Writer<'_> {
    pub(crate) fn kept_queue(&mut self, kept: &KeptQueue) {
        let KeptQueue { queue, address, attributes, tags, created_ms, modified_ms, purged_ms } = kept;
        self.queue(*queue);
        self.address(address);
        self.attributes(attributes);
        self.tags(tags);
        self.number(*created_ms);
        self.number(*modified_ms);
        self.number(*purged_ms);
    }

    pub(crate) fn kept_dedup(&mut self, kept: &KeptDedup) {
        let KeptDedup { key: KeptKey { key, expires_ms, fingerprint }, id, order } = kept;
        self.raw(key);
        self.time(*expires_ms);
        self.raw(&fingerprint.to_le_bytes());
        self.id(*id);
        self.number(*order);
    }

    pub(crate) fn kept_finished(&mut self, kept: &KeptFinished) {
        let KeptFinished { id, receive_count, finished_ms, queue, gone, dropped } = kept;
        self.id(*id);
        self.number(u64::from(*receive_count));
        self.time(*finished_ms);
        self.queue(*queue);
        if *dropped {
            self.byte(u8::from(gone.is_some()));
        }
        if let Some(address) = gone {
            self.address(address);
        }
    }

    pub(crate) fn kept_message(&mut self, message: &KeptMessage) {
        let KeptMessage {
            queue,
            id,
            order,
            sent_ms,
            group,
            job,
            receive_count,
            received_elsewhere,
            first_received_ms,
            received_ms,
            lease,
            visible_ms,
            leased,
            source,
            redrives,
            failure,
            batch,
        } = message;
        self.batched(batch.as_ref());
        self.byte(flags([
            (GROUP, group.is_some()),
            (JOB, *job),
            (LEASED, *leased),
            (SOURCE, source.is_some()),
            (FAILURE, *failure),
        ]));
        self.queue(*queue);
        self.id(*id);
        self.number(*order);
        self.time(*sent_ms);
        self.number(u64::from(*receive_count));
        self.number(u64::from(*received_elsewhere));
        self.number(*first_received_ms);
        self.number(*received_ms);
        self.number(lease.0);
        self.time(*visible_ms);
        self.number(u64::from(*redrives));
        if let Some(group) = group {
            self.text(group.as_str());
        }
        if let Some(source) = source {
            self.arn(source);
        }
    }
}

impl Reader<'_> {
    pub(crate) fn kept_queue(&mut self) -> Result<KeptQueue, Reason> {
        Ok(KeptQueue {
            queue: self.queue()?,
            address: self.address()?,
            attributes: self.attributes()?,
            tags: self.tags()?,
            created_ms: self.number()?,
            modified_ms: self.number()?,
            purged_ms: self.number()?,
        })
    }

    pub(crate) fn kept_dedup(&mut self) -> Result<KeptDedup, Reason> {
        let (key, expires_ms, fingerprint) = (self.array()?, self.time()?, u64::from_le_bytes(self.array()?));
        Ok(KeptDedup { key: KeptKey { key, expires_ms, fingerprint }, id: self.id()?, order: self.number()? })
    }

    /// The first version's fields.
    pub(crate) fn kept_finished(&mut self) -> Result<KeptFinished, Reason> {
        Ok(KeptFinished {
            id: self.id()?,
            receive_count: self.narrow()?,
            finished_ms: self.time()?,
            queue: self.queue()?,
            gone: None,
            dropped: false,
        })
    }

    /// The first fields of [`Self::kept_message`].
    pub(crate) fn glance_at_kept(&mut self) -> Result<Glance, Reason> {
        let has = self.flags(ALL)?;
        let (_queue, id) = (self.queue()?, self.id()?);
        Ok(Glance::Message { message: key_of(id), counts_until_ms: if has.has(JOB) { u64::MAX } else { 0 } })
    }

    /// The first version's fields.
    pub(crate) fn kept_message(&mut self) -> Result<KeptMessage, Reason> {
        let has = self.flags(ALL)?;
        Ok(KeptMessage {
            queue: self.queue()?,
            id: self.id()?,
            order: self.number()?,
            sent_ms: self.time()?,
            job: has.has(JOB),
            receive_count: self.narrow()?,
            received_elsewhere: self.narrow()?,
            first_received_ms: self.number()?,
            received_ms: self.number()?,
            lease: LeaseId(self.number()?),
            visible_ms: self.time()?,
            leased: has.has(LEASED),
            redrives: self.narrow()?,
            group: has.then(GROUP, || self.group())?,
            source: has.then(SOURCE, || self.arn())?,
            failure: has.has(FAILURE),
            batch: None,
        })
    }
}
