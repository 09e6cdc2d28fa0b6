//! What a process sees, what the disk has, and which faults are to come.

use super::{Fault, Op};
use crate::disk::SECTOR_BYTES;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) files: Vec<FileState>,
    pub(super) names: BTreeMap<String, usize>,
    pub(super) durable_names: BTreeMap<String, usize>,
    /// After each change of names since they were last made durable.
    pub(super) pending_names: Vec<BTreeMap<String, usize>>,
    pub(super) steps: u64,
    pub(super) stop: Option<Stop>,
    pub(super) faults: Vec<(Op, u64, Fault)>,
    /// Whether there is a way past the cache.
    pub(super) direct: bool,
    /// How much all files together may hold.
    pub(super) capacity_bytes: Option<u64>,
}

#[derive(Clone, Default)]
pub(super) struct FileState {
    pub(super) cache: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) dirty: BTreeSet<u64>,
}

#[derive(Clone, Copy)]
pub(super) struct Stop {
    pub(super) step: u64,
    pub(super) last_write_bytes: usize,
}

impl State {
    /// Counts an operation; the fault that it meets, if that leaves anything to do.
    pub(super) fn step(&mut self, op: Op) -> io::Result<Option<Fault>> {
        let step = self.steps;
        self.steps += 1;
        if let Some(stop) = self.stop
            && step >= stop.step
        {
            if step == stop.step && op == Op::Write && stop.last_write_bytes > 0 {
                return Ok(Some(Fault::Short(stop.last_write_bytes)));
            }
            return Err(io::Error::other("the power is out"));
        }
        let mut met = None;
        for (index, (of, nth, fault)) in self.faults.iter_mut().enumerate().filter(|(_, (of, ..))| *of == op) {
            debug_assert_eq!(*of, op);
            match nth.checked_sub(1) {
                Some(left) => *nth = left,
                None => met = met.or(Some((index, *fault))),
            }
        }
        match met {
            None => Ok(None),
            Some((index, fault)) => {
                self.faults.remove(index);
                match fault {
                    Fault::Error(kind) if op != Op::Sync => Err(kind.into()),
                    fault => Ok(Some(fault)),
                }
            }
        }
    }
}

impl State {
    /// How much of `bytes` more at `offset` of this file the disk has room for.
    pub(super) fn room(&self, file: usize, offset: u64, bytes: u64) -> u64 {
        let Some(capacity_bytes) = self.capacity_bytes else { return bytes };
        let held: u64 = self.names.values().map(|file| self.files[*file].cache.len() as u64).sum();
        let may_end = self.files[file].cache.len() as u64 + capacity_bytes.saturating_sub(held);
        bytes.min(may_end.saturating_sub(offset))
    }
}

impl FileState {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        self.dirty.extend((offset as u64 / SECTOR_BYTES)..(end as u64).div_ceil(SECTOR_BYTES));
    }

    fn flush_sector(&mut self, sector: u64) {
        let start = (sector * SECTOR_BYTES) as usize;
        let end = (start + SECTOR_BYTES as usize).min(self.cache.len());
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.cache[start..end]);
    }

    pub(super) fn flush(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.flush_sector(sector);
        }
    }

    pub(super) fn after_power_cut(&self, random: &mut Random) -> FileState {
        let mut file = self.clone();
        // Mostly some, sometimes none or all: the ends are where the mistakes are.
        let survive_of_8 = random.below(9);
        for sector in std::mem::take(&mut file.dirty) {
            if random.below(8) < survive_of_8 {
                file.flush_sector(sector);
            }
        }
        file.cache.clone_from(&file.durable);
        file
    }
}

pub(super) struct Random(pub(super) u64);

impl Random {
    /// SplitMix64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
