//! The log under the partition, and how it fails: in memory as a service elsewhere would, or in files on a disk that
//! loses and tears what was not flushed.

use super::InFlight;
use crate::rng::Rng;
use afterward_broker::partition::Outgoing;
use afterward_log::disk::{self, FaultyDisk, Op};
use afterward_log::memory::{Fault, Fencing, MemoryLog};
use afterward_log::segment::{Durability, Options, SegmentLog};
use afterward_log::{Epoch, Log};
use std::io;
use std::sync::Arc;

/// Which log a run plays with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Batches in memory, kept from former owners in this way.
    Memory(Fencing),
    /// Segment files on a disk in memory.
    Files {
        /// Frames go past the page cache where they can, as on Linux; else each is a write and a flush.
        direct: bool,
    },
}

/// How an owner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was killed, and its log is elsewhere.
    Killed,
    /// It was killed, and its files are as the operating system has them.
    KilledOverFiles {
        /// Its last batch was found incomplete, and cut off.
        torn: bool,
    },
    /// The machine's power was cut, and the files are as the disk has them.
    PowerCut {
        /// The same.
        torn: bool,
    },
}

pub(super) enum Ground {
    Memory {
        log: Arc<MemoryLog>,
        /// Batches of former owners, and the handles that they are sent through.
        late: Vec<(Arc<MemoryLog>, Epoch, Outgoing)>,
    },
    Files {
        disk: FaultyDisk,
        direct: bool,
        log: Arc<SegmentLog>,
    },
}

/// Small segments, so that a run goes through many, and nothing that happens by itself.
fn options() -> Options {
    Options { durability: Durability::Flush, segment_bytes: 16 << 10, partition: 0, salt: 7, background: false }
}

/// The log on the disk, and whether its last batch had to be cut off.
fn open(disk: &FaultyDisk) -> Result<(Arc<SegmentLog>, bool), String> {
    let opened = SegmentLog::open_on(Arc::new(disk.clone()), &options());
    let found = opened.map(|(log, report)| (Arc::new(log), report.torn.is_some()));
    found.map_err(|error| format!("the files don't open: {error}"))
}

impl Ground {
    pub(super) fn new(kind: Kind) -> Result<Ground, String> {
        Ok(match kind {
            Kind::Memory(fencing) => Ground::Memory { log: Arc::new(MemoryLog::new(fencing)), late: Vec::new() },
            Kind::Files { direct } => {
                let disk = if direct { FaultyDisk::with_direct() } else { FaultyDisk::new() };
                Ground::Files { log: open(&disk)?.0, direct, disk }
            }
        })
    }

    pub(super) fn log(&self) -> Arc<dyn Log> {
        match self {
            Ground::Memory { log, .. } => log.clone(),
            Ground::Files { log, .. } => log.clone(),
        }
    }

    /// Lets the next claim or append fail.
    pub(super) fn fail_next(&self, fault: Fault) {
        match self {
            Ground::Memory { log, .. } => log.fail_next(fault),
            Ground::Files { disk, .. } => {
                let (op, error) = match fault {
                    Fault::Reject => (Op::Write, io::ErrorKind::StorageFull),
                    _ => (Op::Sync, io::ErrorKind::Other),
                };
                disk.fail(op, 0, disk::Fault::Error(error));
            }
        }
    }

    /// Forgets a fault that was meant for what is over now.
    pub(super) fn heal(&self) {
        if let Ground::Files { disk, .. } = self {
            disk.heal();
        }
    }

    /// The owner dies, and with files, sometimes the machine's power is cut. The next owner gets a handle of its own.
    pub(super) fn crash(
        &mut self,
        epoch: Option<Epoch>,
        flight: Option<Outgoing>,
        in_flight: InFlight,
        random: &mut Rng,
    ) -> Result<End, String> {
        let flight = epoch.zip(flight);
        match self {
            Ground::Memory { log, late } => {
                match (flight, in_flight) {
                    (Some((epoch, outgoing)), InFlight::Written) => {
                        drop(log.append(epoch, outgoing.expected, outgoing.batch));
                    }
                    (Some((epoch, outgoing)), InFlight::Late) => late.push((log.clone(), epoch, outgoing)),
                    (_, InFlight::Lost) | (None, _) => {}
                }
                *log = Arc::new(log.another());
                Ok(End::Killed)
            }
            Ground::Files { disk, direct, log } => {
                if in_flight == InFlight::Late {
                    // What goes past the cache goes in blocks, which begin with what was there before.
                    let write_bytes = if *direct { 6_000 } else { 2_000 };
                    disk.stop_at(disk.steps() + random.below(3), random.below(write_bytes) as usize);
                }
                if let Some((epoch, outgoing)) = flight.filter(|_| in_flight != InFlight::Lost) {
                    drop(log.append(epoch, outgoing.expected, outgoing.batch));
                }
                let killed = random.chance(500);
                *disk = if killed { disk.after_kill() } else { disk.after_power_cut(random.bits()) };
                let torn;
                (*log, torn) = open(disk)?;
                Ok(if killed { End::KilledOverFiles { torn } } else { End::PowerCut { torn } })
            }
        }
    }

    /// What former owners sent arrives at last; answers how much of it was told to be written.
    pub(super) fn deliver_late(&mut self) -> usize {
        let Ground::Memory { log, late } = self else { return 0 };
        let late = std::mem::take(late);
        let told = late
            .into_iter()
            .filter(|(log, epoch, outgoing)| log.append(*epoch, outgoing.expected, outgoing.batch.clone()).is_ok());
        told.count() + log.deliver_late()
    }
}
