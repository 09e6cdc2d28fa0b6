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
    Files,
}

pub(super) enum Ground {
    Memory {
        log: Arc<MemoryLog>,
        /// Batches of former owners, and the handles that they are sent through.
        late: Vec<(Arc<MemoryLog>, Epoch, Outgoing)>,
    },
    Files {
        disk: FaultyDisk,
        log: Arc<SegmentLog>,
    },
}

/// Small segments, so that a run goes through many, and nothing that happens by itself.
fn options() -> Options {
    Options { durability: Durability::Flush, segment_bytes: 16 << 10, partition: 0, salt: 7, background: false }
}

fn open(disk: &FaultyDisk) -> Result<Arc<SegmentLog>, String> {
    let opened = SegmentLog::open_on(Arc::new(disk.clone()), &options());
    opened.map(|(log, _)| Arc::new(log)).map_err(|error| format!("the files don't open: {error}"))
}

impl Ground {
    pub(super) fn new(kind: Kind) -> Result<Ground, String> {
        Ok(match kind {
            Kind::Memory(fencing) => Ground::Memory { log: Arc::new(MemoryLog::new(fencing)), late: Vec::new() },
            Kind::Files => {
                let disk = FaultyDisk::new();
                Ground::Files { log: open(&disk)?, disk }
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
    ) -> Result<(), String> {
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
            }
            Ground::Files { disk, log } => {
                if in_flight == InFlight::Late {
                    disk.stop_at(disk.steps() + random.below(3), random.below(2_000) as usize);
                }
                if let Some((epoch, outgoing)) = flight.filter(|_| in_flight != InFlight::Lost) {
                    drop(log.append(epoch, outgoing.expected, outgoing.batch));
                }
                *disk = if random.chance(500) { disk.after_kill() } else { disk.after_power_cut(random.bits()) };
                *log = open(disk)?;
            }
        }
        Ok(())
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
