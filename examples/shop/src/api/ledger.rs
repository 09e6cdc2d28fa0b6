//! The orders, in memory: where your application has its database.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// All orders. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Orders>>);

#[derive(Debug, Default)]
struct Orders {
    placed: usize,
    by_id: BTreeMap<String, Order>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Whose it is.
    pub email: String,
    /// How far it is.
    pub status: Status,
}

/// How far an order is. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The API has it.
    Placed,
    /// The worker has seen to it.
    Accepted,
    /// Stripe has the money.
    Paid,
}

/// How business is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many orders there are.
    pub orders: usize,
    /// How many of them are paid.
    pub paid: usize,
}

impl Ledger {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an order, and returns its id.
    pub fn place(&self, email: &str) -> String {
        let mut orders = self.orders();
        orders.placed += 1;
        let id = format!("order-{}", orders.placed);
        orders.by_id.insert(id.clone(), Order { email: email.to_owned(), status: Status::Placed });
        id
    }

    /// Forgets an order that nobody was told of.
    pub fn withdraw(&self, id: &str) {
        self.orders().by_id.remove(id);
    }

    /// An order.
    pub fn order(&self, id: &str) -> Option<Order> {
        self.orders().by_id.get(id).cloned()
    }

    /// Notes that an order is so far at least; whether there is such an order.
    pub fn reach(&self, id: &str, status: Status) -> bool {
        let mut orders = self.orders();
        let Some(order) = orders.by_id.get_mut(id) else { return false };
        order.status = order.status.max(status);
        true
    }

    /// How business is.
    pub fn totals(&self) -> Totals {
        let orders = &self.orders().by_id;
        Totals { orders: orders.len(), paid: orders.values().filter(|order| order.status == Status::Paid).count() }
    }
}
