//! Messages in line: an ordered map from [`LineKey`] to slot that costs nothing while it is empty or holds one message.
//! Most groups of most queues hold one.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Where a message stands in line. Standard: visible since, then order; FIFO: order. In 14 bytes, big-endian, for
/// there is one per message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineKey([u8; 14]);

impl LineKey {
    /// Of `since_ms`, 48 bits count: they last until the year 10889.
    pub(crate) fn new(since_ms: u64, order: u64) -> LineKey {
        let mut key = [0; 14];
        key[..6].copy_from_slice(&since_ms.to_be_bytes()[2..]);
        key[6..].copy_from_slice(&order.to_be_bytes());
        LineKey(key)
    }

    pub(crate) fn order(self) -> u64 {
        u64::from_be_bytes(self.0[6..].try_into().unwrap_or_default())
    }
}

/// A line.
#[derive(Debug, Default)]
pub(crate) enum Line {
    #[default]
    Empty,
    One(LineKey, u32),
    Many(BTreeMap<LineKey, u32>),
}

impl Line {
    pub(crate) fn insert(&mut self, key: LineKey, slot: u32) {
        match self {
            Line::Empty => *self = Line::One(key, slot),
            Line::One(other, of) => *self = Line::Many(BTreeMap::from([(*other, *of), (key, slot)])),
            Line::Many(many) => {
                many.insert(key, slot);
            }
        }
    }

    pub(crate) fn remove(&mut self, key: LineKey) {
        match self {
            Line::One(held, _) if *held == key => *self = Line::Empty,
            Line::Many(many) => {
                many.remove(&key);
                if many.is_empty() {
                    *self = Line::Empty;
                }
            }
            Line::Empty | Line::One(..) => {}
        }
    }

    pub(crate) fn first(&self) -> Option<(LineKey, u32)> {
        self.iter().next()
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Line::Empty)
    }

    /// The next one behind `key`.
    pub(crate) fn after(&self, key: LineKey) -> Option<(LineKey, u32)> {
        match self {
            Line::Empty => None,
            Line::One(held, slot) => (*held > key).then_some((*held, *slot)),
            Line::Many(many) => {
                many.range((Bound::Excluded(key), Bound::Unbounded)).next().map(|(key, slot)| (*key, *slot))
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (LineKey, u32)> {
        let (one, many) = match self {
            Line::Empty => (None, None),
            Line::One(key, slot) => (Some((*key, *slot)), None),
            Line::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flatten().map(|(key, slot)| (*key, *slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_orders_by_time_and_then_by_order() {
        let keys = [(0, 1), (0, u64::MAX), (1, 0), (255, 9), (256, 2), (1 << 41, 1)];
        let keys = keys.map(|(since_ms, order)| (LineKey::new(since_ms, order), order));
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|(key, order)| key.order() == *order));
    }

    #[test]
    fn a_line_is_in_order_whatever_its_form() {
        let mut line = Line::default();
        for order in [5, 3, 9] {
            line.insert(LineKey::new(0, order), order as u32);
        }
        assert_eq!(line.iter().map(|(_, slot)| slot).collect::<Vec<_>>(), [3, 5, 9]);
        assert_eq!(line.after(LineKey::new(0, 3)), Some((LineKey::new(0, 5), 5)));
        assert_eq!(line.after(LineKey::new(0, 9)), None);
        for order in [5, 3, 9, 9] {
            line.remove(LineKey::new(0, order));
        }
        assert!(line.is_empty() && line.first().is_none());
    }
}
