//! What several kinds of event, or long ones, are made of.

use crate::Glance;
use crate::glance::key_of;
use crate::reader::{Reader, Reason, flags};
use crate::writer::Writer;
use afterward_machine::{KeptKey, LeaseId, LeasedMessage, MessageSent, MoveFailure, MoveOutcome, QueueId};
use afterward_names::QueueArn;

// Of a `Sent`.
const GROUP: u8 = 1;
const DEDUP: u8 = 1 << 1;
const JOB: u8 = 1 << 2;
const FINGERPRINT: u8 = 1 << 3;
// Of the move tasks.
const DESTINATION: u8 = 1;
const MAX_PER_S: u8 = 1 << 1;

const COMPLETED: u8 = 1;
const CANCELLED: u8 = 2;
const FAILED_QUEUE_GONE: u8 = 3;
const FAILED_SOURCE_UNKNOWN: u8 = 4;

/// Key (two numbers) and lease.
const SHORTEST_LEASED_BYTES: usize = 3;

impl Writer<'_> {
    pub(crate) fn queue(&mut self, queue: QueueId) {
        self.number(u64::from(queue.0));
    }

    pub(crate) fn sent(&mut self, sent: &MessageSent) {
        let MessageSent { queue, id, order, visible_ms, group, dedup, job, batch } = sent;
        self.batched(batch.as_ref());
        self.byte(flags([
            (GROUP, group.is_some()),
            (DEDUP, dedup.is_some()),
            (JOB, *job),
            (FINGERPRINT, dedup.is_some_and(|dedup| dedup.fingerprint != 0)),
        ]));
        self.queue(*queue);
        self.id(*id);
        self.number(*order);
        self.time(*visible_ms);
        if let Some(group) = group {
            self.text(group.as_str());
        }
        if let Some(KeptKey { key, expires_ms, fingerprint }) = dedup {
            self.raw(key);
            self.time(*expires_ms);
            if *fingerprint != 0 {
                self.raw(&fingerprint.to_le_bytes());
            }
        }
    }

    /// A receive's leases are mostly consecutive: each is written as its distance from the one before.
    pub(crate) fn leased(&mut self, messages: &[LeasedMessage]) {
        self.number(messages.len() as u64);
        let mut before = 0;
        for LeasedMessage { message, lease } in messages {
            self.key(*message);
            self.distance(before, lease.0);
            before = lease.0;
        }
    }

    /// What a move task was asked to do.
    pub(crate) fn route(&mut self, source: &QueueArn, destination: Option<&QueueArn>, max_per_s: Option<u32>) {
        self.byte(flags([(DESTINATION, destination.is_some()), (MAX_PER_S, max_per_s.is_some())]));
        self.arn(source);
        if let Some(destination) = destination {
            self.arn(destination);
        }
        if let Some(max_per_s) = max_per_s {
            self.number(u64::from(max_per_s));
        }
    }

    pub(crate) fn outcome(&mut self, outcome: &MoveOutcome) {
        match outcome {
            MoveOutcome::Completed => self.byte(COMPLETED),
            MoveOutcome::Cancelled => self.byte(CANCELLED),
            MoveOutcome::Failed(MoveFailure::QueueGone) => self.byte(FAILED_QUEUE_GONE),
            MoveOutcome::Failed(MoveFailure::SourceUnknown) => self.byte(FAILED_SOURCE_UNKNOWN),
        }
    }
}

impl Reader<'_> {
    pub(crate) fn queue(&mut self) -> Result<QueueId, Reason> {
        self.narrow().map(QueueId)
    }

    /// The first version's fields.
    pub(crate) fn sent(&mut self) -> Result<MessageSent, Reason> {
        let has = self.flags(GROUP | DEDUP | JOB | FINGERPRINT)?;
        let sent = MessageSent {
            queue: self.queue()?,
            id: self.id()?,
            order: self.number()?,
            visible_ms: self.time()?,
            group: has.then(GROUP, || self.group())?,
            dedup: has.then(DEDUP, || {
                let (key, expires_ms) = (self.array()?, self.time()?);
                let fingerprint = has.then(FINGERPRINT, || self.array().map(u64::from_le_bytes))?;
                Ok(KeptKey { key, expires_ms, fingerprint: fingerprint.unwrap_or(0) })
            })?,
            job: has.has(JOB),
            batch: None,
        };
        // Neither is written: there is one way to say that there is no fingerprint.
        let fingerprint = sent.dedup.is_some_and(|dedup| dedup.fingerprint != 0);
        if fingerprint == has.has(FINGERPRINT) { Ok(sent) } else { Err("a fingerprint stands where none belongs") }
    }

    /// The first fields of [`Self::sent`], and its deduplication window if it has one.
    pub(crate) fn glance_at_sent(&mut self) -> Result<Glance, Reason> {
        let has = self.flags(GROUP | DEDUP | JOB | FINGERPRINT)?;
        let (_queue, id) = (self.queue()?, self.id()?);
        let counts_until_ms = if has.has(JOB) {
            u64::MAX
        } else if has.has(DEDUP) {
            let (_order, _visible_ms) = (self.number()?, self.time()?);
            has.then(GROUP, || self.bytes())?;
            self.array::<16>()?;
            self.time()?
        } else {
            0
        };
        Ok(Glance::Message { message: key_of(id), counts_until_ms })
    }

    pub(crate) fn leased(&mut self) -> Result<Vec<LeasedMessage>, Reason> {
        let count = self.count(SHORTEST_LEASED_BYTES)?;
        let mut messages = Vec::with_capacity(count);
        let mut before = 0;
        for _ in 0..count {
            let message = self.key()?;
            before = self.distance(before)?;
            messages.push(LeasedMessage { message, lease: LeaseId(before) });
        }
        Ok(messages)
    }

    pub(crate) fn route(&mut self) -> Result<(QueueArn, Option<QueueArn>, Option<u32>), Reason> {
        let has = self.flags(DESTINATION | MAX_PER_S)?;
        Ok((self.arn()?, has.then(DESTINATION, || self.arn())?, has.then(MAX_PER_S, || self.narrow())?))
    }

    pub(crate) fn outcome(&mut self) -> Result<MoveOutcome, Reason> {
        match self.byte()? {
            COMPLETED => Ok(MoveOutcome::Completed),
            CANCELLED => Ok(MoveOutcome::Cancelled),
            FAILED_QUEUE_GONE => Ok(MoveOutcome::Failed(MoveFailure::QueueGone)),
            FAILED_SOURCE_UNKNOWN => Ok(MoveOutcome::Failed(MoveFailure::SourceUnknown)),
            _ => Err("a move task's outcome is of no known kind"),
        }
    }
}
