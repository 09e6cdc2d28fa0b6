//! Room for large bodies, over all connections.
//!
//! A body takes its share before memory is allocated for it, and keeps it until its request has been answered. One whose
//! share is not to be had is not read meanwhile: what its sender sends waits with the sender.

use super::pulse::{Phase, Pulse};
use std::time::Duration;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// The unit that shares are counted in: as fine as it has to be, and as many as a semaphore can count.
const UNIT: usize = 1 << 10;

/// The room that there is.
pub(super) struct Room {
    free: Semaphore,
    all_units: u32,
    patience: Duration,
}

/// The share of one body, until it is dropped.
pub(super) struct Share<'a> {
    room: &'a Room,
    permit: Option<SemaphorePermit<'a>>,
}

/// There was no room for as long as a body may wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl Room {
    /// Room for so many bytes, for which a body waits for so long.
    pub(super) fn new(bytes: usize, patience: Duration) -> Room {
        let all_units = units(bytes).max(1);
        Room { free: Semaphore::new(all_units as usize), all_units, patience }
    }

    /// A share of nothing, to begin with.
    pub(super) fn share(&self) -> Share<'_> {
        Share { room: self, permit: None }
    }
}

impl Share<'_> {
    /// Has the share cover so many bytes, or be all of the room, which is enough for any body. Waiting for that is not
    /// the sender's fault, and does not count as their time.
    pub(super) async fn cover(&mut self, bytes: usize, pulse: &Pulse) -> Result<(), Full> {
        let has = self.permit.as_ref().map_or(0, |permit| permit.num_permits() as u32);
        let more = units(bytes).min(self.room.all_units).saturating_sub(has);
        if more == 0 {
            return Ok(());
        }
        let permit = match self.room.free.try_acquire_many(more) {
            Ok(permit) => permit,
            Err(_) => {
                pulse.enter(Phase::Working);
                let permit = timeout(self.room.patience, self.room.free.acquire_many(more)).await;
                pulse.enter(Phase::Body);
                // The semaphore is never closed.
                permit.ok().and_then(Result::ok).ok_or(Full)?
            }
        };
        match &mut self.permit {
            Some(share) => share.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shares_are_had_as_long_as_there_is_room_and_come_back() {
        let (room, pulse) = (Room::new(1 << 20, Duration::from_millis(20)), Pulse::new());
        let (mut first, mut second) = (room.share(), room.share());
        assert_eq!(first.cover(700 << 10, &pulse).await, Ok(()));
        assert_eq!(first.cover(1, &pulse).await, Ok(()), "it does already");
        assert_eq!(second.cover(325 << 10, &pulse).await, Err(Full));
        assert_eq!(second.cover(324 << 10, &pulse).await, Ok(()));
        drop(first);
        assert_eq!(second.cover(9 << 20, &pulse).await, Ok(()), "all there is, is enough");
        assert_eq!(room.free.available_permits(), 0);
        drop(second);
        assert_eq!(room.free.available_permits(), 1 << 10);
    }
}
