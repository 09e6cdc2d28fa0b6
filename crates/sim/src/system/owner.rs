//! Who has the log, and who only believes so: an owner is paused in the middle of an append or between any two steps,
//! another one takes the log over, and later the first goes on as if nothing had happened.

use super::bug::Bug;
use super::{Kind, System};
use crate::system::Ground;
use afterward_broker::Unavailable;
use afterward_broker::partition::compact::Compactor;
use afterward_broker::partition::{Outgoing, Partition};
use afterward_log::{AppendError, Log, Position};
use std::sync::Arc;

/// An owner, with what it is about.
pub(super) struct Owner {
    pub(super) partition: Partition,
    /// Its way to the log.
    pub(super) log: Arc<dyn Log>,
    /// The batch on its way to the log.
    pub(super) flight: Option<Outgoing>,
    /// How many batches have arrived.
    pub(super) landed: u64,
    pub(super) compactor: Compactor,
}

/// An owner that has been paused while another took the log over.
pub(super) struct Deposed {
    pub(super) number: u64,
    /// `None` while it acts as if it had the log.
    pub(super) owner: Option<Owner>,
    /// What the log answered before the pause, and it has not looked at yet.
    answer: Option<Result<Position, AppendError>>,
    /// How many of its batches the log took while it was its own.
    pub(super) took: u64,
    /// The time when it was paused.
    pub(super) at_ms: u64,
}

/// What a deposed owner does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesOn {
    /// It puts what is pending on its way, or looks at what became of that.
    Append,
    /// It looks at the time.
    OnTime,
    /// It goes on compacting.
    Compact,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WentOn {
    /// It still believes that it owns the log.
    Unaware,
    /// It has learned better, and everybody who waited there has been told.
    Gone,
}

impl System {
    /// The owner is paused, and from here on another one may take over. If a batch is on its way, it has or has not
    /// `arrived` before. The number that the paused one is known by; `None` if nobody owns the log.
    pub fn pause(&mut self, arrived: bool) -> Option<u64> {
        let at_ms = self.now_ms();
        let owner = self.owner.take()?;
        let flight = owner.flight.clone().filter(|_| arrived);
        let answer =
            flight.map(|Outgoing { expected, batch }| owner.log.append(owner.partition.epoch(), expected, batch));
        let took = owner.landed + u64::from(matches!(answer, Some(Ok(_))));
        self.last_landed = owner.landed;
        self.pauses += 1;
        self.deposed.push(Deposed { number: self.pauses, owner: Some(owner), answer, took, at_ms });
        self.ground.hand_over();
        Some(self.pauses)
    }

    /// The owners that were paused and are not gone.
    pub fn deposed(&self) -> Vec<u64> {
        self.deposed.iter().map(|deposed| deposed.number).collect()
    }

    /// How many batches of a deposed owner the log took, and when it was paused.
    pub fn took(&self, number: u64) -> Option<(u64, u64)> {
        let deposed = self.deposed.iter().find(|deposed| deposed.number == number)?;
        Some((deposed.took, deposed.at_ms))
    }

    /// Lets a deposed owner act as if it had the log, until it is changed back by the same call.
    pub fn change_places(&mut self, number: u64) {
        if let Some(deposed) = self.deposed.iter_mut().find(|deposed| deposed.number == number) {
            std::mem::swap(&mut self.owner, &mut deposed.owner);
        }
    }

    /// A deposed owner goes on.
    ///
    /// # Errors
    /// When it could change the log.
    pub fn go_on(&mut self, number: u64, what: GoesOn) -> Result<WentOn, String> {
        let Some(at) = self.deposed.iter().position(|deposed| deposed.number == number) else {
            return Ok(WentOn::Gone);
        };
        let now_ms = self.clock_ms + self.ahead_ms;
        let deposed = &mut self.deposed[at];
        let Some(owner) = &mut deposed.owner else { return Ok(WentOn::Unaware) };
        match (what, owner.flight.take()) {
            (GoesOn::OnTime, flight) => {
                owner.flight = flight;
                owner.partition.on_time(now_ms);
            }
            (GoesOn::Compact, flight) => {
                let may = flight.is_none();
                owner.flight = flight;
                if may && owner.try_to_trim(now_ms)? {
                    return Err("an owner that had lost its log has trimmed it".into());
                }
            }
            (GoesOn::Append, None) => owner.flight = owner.partition.take_batch(),
            (GoesOn::Append, Some(Outgoing { expected, batch })) => {
                let early = deposed.answer.take();
                let late = early.is_none();
                let answer = early.unwrap_or_else(|| owner.log.append(owner.partition.epoch(), expected, batch));
                let answer = match answer {
                    Ok(_) if late => return Err("an owner that had lost its log has written to it".into()),
                    Err(_) if self.buggy.is(Bug::IgnoreFence) => Ok(expected + 1),
                    answer => answer,
                };
                match answer {
                    Ok(position) => {
                        owner.landed += 1;
                        owner.land(position);
                    }
                    Err(error) => {
                        self.deposed.swap_remove(at).end(&error.to_string());
                        return Ok(WentOn::Gone);
                    }
                }
            }
        }
        Ok(WentOn::Unaware)
    }

    /// The process ends, and with it those that were paused in it.
    pub(super) fn end_deposed(&mut self) {
        if matches!(self.kind, Kind::Files { .. }) {
            std::mem::take(&mut self.deposed).into_iter().for_each(|deposed| deposed.end("the server was killed"));
        }
    }

    /// A deposed owner ends before it has found out.
    pub fn forget(&mut self, number: u64) {
        if let Some(at) = self.deposed.iter().position(|deposed| deposed.number == number) {
            self.deposed.swap_remove(at).end("the server was killed");
        }
    }
}

impl Deposed {
    /// Everybody who waits there is told.
    fn end(self, why: &str) {
        if let Some(owner) = self.owner {
            owner.partition.failed(Unavailable::because(why)).open();
        }
    }
}

impl Owner {
    /// The batch that was on its way is durable at `position`.
    pub(super) fn land(&mut self, position: Position) {
        self.partition.committed(position).expect("the log writes a batch where it is asked to").open();
    }

    /// A step of compaction; whether it has let go of something. That it fails is to be expected.
    fn try_to_trim(&mut self, now_ms: u64) -> Result<bool, String> {
        let first = |log: &dyn Log| log.bounds().map(|bounds| bounds.first).map_err(|error| error.to_string());
        let before = first(&*self.log)?;
        if !self.compactor.start_if_due(&mut self.partition, &*self.log)
            || self.compactor.prepare(&*self.log).is_err()
            || self.compactor.forward(&mut self.partition, now_ms).is_err()
        {
            self.compactor.abandon();
            return Ok(false);
        }
        if let Some(up_to) = self.compactor.trim(&mut self.partition) {
            drop(self.log.trim(self.partition.epoch(), up_to));
        }
        Ok(first(&*self.log)? != before)
    }
}

impl Ground {
    /// The next owner gets a handle of its own; with files, it is another thread of the same process, for a directory
    /// is locked against a second one.
    fn hand_over(&mut self) {
        if let Ground::Memory { log, .. } = self {
            *log = Arc::new(log.another());
        }
    }
}
