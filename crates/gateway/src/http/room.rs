//! Room for what is large, over all connections: for request bodies, and another for replies.
//!
//! What is large takes its share before memory is allocated for it. A body keeps its share until its request has been
//! answered, a reply until the system has the last byte of it. A body whose share is not to be had is not read meanwhile:
//! what its sender sends waits with the sender.

use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// The largest body or reply that is not counted: most are no larger, and not worth the question.
pub(crate) const SMALL_BYTES: usize = 64 << 10;

/// The unit that shares are counted in: as fine as it has to be, and as many as a semaphore can count.
const UNIT: usize = 1 << 10;

/// The room that there is.
pub(crate) struct Room {
    free: Arc<Semaphore>,
    all_units: u32,
    patience: Duration,
}

/// The share of one body or reply, until it is dropped.
pub(crate) struct Share {
    room: Arc<Room>,
    permit: Option<OwnedSemaphorePermit>,
}

/// There was no room for as long as one may wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Bytes with the share that they take, however they are cut.
struct Counted {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

impl Room {
    /// Room for so many bytes, for which one waits for so long.
    pub(crate) fn new(bytes: usize, patience: Duration) -> Arc<Room> {
        let all_units = units(bytes).max(1);
        Arc::new(Room { free: Arc::new(Semaphore::new(all_units as usize)), all_units, patience })
    }

    /// A share of nothing, to begin with.
    pub(crate) fn share(self: &Arc<Room>) -> Share {
        Share { room: Arc::clone(self), permit: None }
    }

    /// How much of it is taken.
    pub(crate) fn taken_bytes(&self) -> usize {
        (self.all_units as usize).saturating_sub(self.free.available_permits()) * UNIT
    }
}

impl Share {
    /// Has the share cover so many bytes, or be all of the room, which is enough for anything; if that is to be had at
    /// once.
    pub(crate) fn try_cover(&mut self, bytes: usize) -> Result<(), Full> {
        let more = self.lacks(bytes);
        if more > 0 {
            let permit = Arc::clone(&self.room.free).try_acquire_many_owned(more);
            self.merge(permit.map_err(|_| Full)?);
        }
        Ok(())
    }

    /// The same, waiting for it, in the order of coming.
    pub(crate) async fn cover(&mut self, bytes: usize) -> Result<(), Full> {
        let more = self.lacks(bytes);
        if more > 0 {
            let permit = timeout(self.room.patience, Arc::clone(&self.room.free).acquire_many_owned(more)).await;
            // The semaphore is never closed.
            self.merge(permit.ok().and_then(Result::ok).ok_or(Full)?);
        }
        Ok(())
    }

    /// Gives back what is more than so many bytes take.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let more = self.units().saturating_sub(units(bytes)) as usize;
        drop(self.permit.as_mut().and_then(|permit| permit.split(more)));
    }

    /// The bytes, which have this share for as long as anybody has a piece of them.
    pub(crate) fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Counted { bytes, _share: self })
    }

    fn units(&self) -> u32 {
        self.permit.as_ref().map_or(0, |permit| permit.num_permits() as u32)
    }

    fn lacks(&self, bytes: usize) -> u32 {
        units(bytes).min(self.room.all_units).saturating_sub(self.units())
    }

    fn merge(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.permit {
            Some(share) => share.merge(permit),
            none => *none = Some(permit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_kib(room: &Room) -> usize {
        (1 << 10) - room.taken_bytes() / UNIT
    }

    #[tokio::test]
    async fn shares_are_had_as_long_as_there_is_room_and_come_back() {
        let room = Room::new(1 << 20, Duration::from_millis(20));
        let (mut first, mut second) = (room.share(), room.share());
        assert_eq!(first.cover(700 << 10).await, Ok(()));
        assert_eq!(first.cover(1).await, Ok(()), "it does already");
        assert_eq!(second.try_cover(325 << 10), Err(Full));
        assert_eq!(second.cover(325 << 10).await, Err(Full));
        assert_eq!(second.try_cover(324 << 10), Ok(()));
        drop(first);
        assert_eq!(second.cover(9 << 20).await, Ok(()), "all there is, is enough");
        assert_eq!(free_kib(&room), 0);
        drop(second);
        assert_eq!(free_kib(&room), 1 << 10);
    }

    #[test]
    fn what_was_taken_for_the_worst_case_is_given_back() {
        let room = Room::new(1 << 20, Duration::ZERO);
        let mut share = room.share();
        for (covers, shrinks_to, left_kib) in [(600 << 10, 100 << 10, 924), (0, 200 << 10, 924), (0, 0, 1024)] {
            assert_eq!(share.try_cover(covers), Ok(()));
            share.shrink(shrinks_to);
            assert_eq!(free_kib(&room), left_kib, "{covers} {shrinks_to}");
        }
    }

    #[test]
    fn a_reply_has_its_share_until_the_last_piece_of_it_has_gone() {
        let room = Room::new(1 << 20, Duration::ZERO);
        let mut share = room.share();
        share.try_cover(512 << 10).unwrap();
        let mut reply = share.hold(Bytes::from(vec![7; 512 << 10]));
        let first = reply.split_to(1 << 10);
        drop(reply);
        assert_eq!((free_kib(&room), &first[..2]), (512, &[7, 7][..]));
        drop(first);
        assert_eq!(free_kib(&room), 1 << 10);
    }
}
