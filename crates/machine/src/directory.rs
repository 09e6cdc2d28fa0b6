//! Which queue is at an address: by account and region, then by name.

use crate::QueueId;
use crate::sorted::{Iter, Sorted};
use afterward_names::{AccountId, QueueAddress, QueueName, Region};

/// All queues' addresses.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// In order. Places without queues are left out.
    places: Vec<Place>,
}

/// An account's region.
#[derive(Debug)]
struct Place {
    account: AccountId,
    region: Region,
    queues: Sorted<(QueueName, QueueId)>,
}

impl Place {
    fn get(&self, name: &QueueName) -> Option<QueueId> {
        let (found, id) = self.queues.find(|(other, _)| other < name)?;
        (found == name).then_some(*id)
    }
}

impl Directory {
    pub(crate) fn get(&self, address: &QueueAddress) -> Option<QueueId> {
        self.place(address.account, &address.region)?.get(&address.name)
    }

    /// The address, in the memory that the directory has for it already.
    pub(crate) fn shared(&self, address: &QueueAddress) -> QueueAddress {
        let region = self.place(address.account, &address.region).map_or(&address.region, |place| &place.region);
        QueueAddress { account: address.account, region: region.clone(), name: address.name.clone() }
    }

    /// An address leads to this queue from now on.
    pub(crate) fn insert(&mut self, address: &QueueAddress, id: QueueId) {
        self.remove(address);
        let QueueAddress { account, region, name } = address;
        let at = self.search(*account, region).unwrap_or_else(|at| {
            let place = Place { account: *account, region: region.clone(), queues: Sorted::default() };
            self.places.insert(at, place);
            at
        });
        self.places[at].queues.insert((name.clone(), id), |(other, _)| other < name);
    }

    pub(crate) fn remove(&mut self, address: &QueueAddress) {
        let Ok(at) = self.search(address.account, &address.region) else { return };
        let (place, name) = (&mut self.places[at], &address.name);
        let Some(id) = place.get(name) else { return };
        place.queues.remove(&(name.clone(), id), |(other, _)| other < name);
        if place.queues.is_empty() {
            self.places.remove(at);
        }
    }

    /// All queues in the order of their addresses.
    pub(crate) fn iter(&self) -> impl Iterator<Item = QueueId> {
        self.places.iter().flat_map(|place| place.queues.iter().map(|(_, id)| *id))
    }

    /// The queues of an account and region from the first on that is not `before` the name that is meant.
    pub(crate) fn named(
        &self,
        account: AccountId,
        region: &Region,
        before: impl Fn(&QueueName) -> bool,
    ) -> Iter<'_, (QueueName, QueueId)> {
        let queues = self.place(account, region).map(|place| place.queues.iter_from(|(name, _)| before(name)));
        queues.unwrap_or_default()
    }

    /// What it takes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.places.iter().map(|place| size_of::<Place>() + place.queues.heap_bytes()).sum()
    }

    fn place(&self, account: AccountId, region: &Region) -> Option<&Place> {
        self.search(account, region).ok().and_then(|at| self.places.get(at))
    }

    fn search(&self, account: AccountId, region: &Region) -> Result<usize, usize> {
        self.places.binary_search_by(|place| (place.account, &place.region).cmp(&(account, region)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn address(account: u64, region: u8, name: u8) -> QueueAddress {
        QueueAddress {
            account: AccountId::from_u64(account).unwrap(),
            region: format!("r-{region}").parse().unwrap(),
            name: format!("q{name}").parse().unwrap(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_a_map_in_the_order_of_addresses(
            steps in proptest::collection::vec((any::<bool>(), 0..3_u64, 0..3_u8, 0..12_u8), 1..120),
        ) {
            let (mut directory, mut model) = (Directory::default(), BTreeMap::new());
            for (number, (inserts, account, region, name)) in steps.into_iter().enumerate() {
                let (at, id) = (address(account, region, name), QueueId(number as u32));
                if inserts {
                    directory.insert(&at, id);
                    model.insert(at.clone(), id);
                } else {
                    directory.remove(&at);
                    model.remove(&at);
                }
                prop_assert_eq!(directory.get(&at), model.get(&at).copied());
                prop_assert_eq!(directory.shared(&at), at.clone());
                prop_assert!(directory.iter().eq(model.values().copied()));
                let here = |(other, id): (&QueueAddress, &QueueId)| {
                    let same = (other.account, &other.region) == (at.account, &at.region);
                    (same && other.name >= at.name).then(|| (other.name.clone(), *id))
                };
                let named = directory.named(at.account, &at.region, |name| *name < at.name);
                prop_assert!(named.cloned().eq(model.iter().filter_map(here)));
            }
        }
    }
}
