//! The shop's API: what takes time is put into the queue, and the answer is given when the queue has it.

mod contact;
mod failure;
mod internal;
mod ledger;
mod orders;
mod stripe;

pub use ledger::{Ledger, Order, Status, Totals};

use afterward::{Queue, access::Access};
use axum::{
    Router,
    routing::{get, post},
};
use std::sync::Arc;

/// What all routes share.
#[derive(Clone)]
pub struct Api {
    /// Where the work goes.
    pub queue: Queue,
    /// The orders; a database, in earnest.
    pub ledger: Ledger,
    /// The secret that Stripe signs its webhook's requests with (`whsec_…`).
    pub stripe_secret: Arc<str>,
}

impl Api {
    /// The routes. Those under `/internal` are the worker's: `access` says whose tokens are good there.
    pub fn router(self, access: Access) -> Router {
        let internal = Router::new()
            .route("/orders/{id}/accepted", post(internal::accepted))
            .route("/orders/{id}/paid", post(internal::paid))
            .route("/totals", get(internal::totals))
            .layer(access);
        Router::new()
            .route("/v1/contact", post(contact::contact))
            .route("/v1/orders", post(orders::place))
            .route("/v1/orders/{id}", get(orders::show))
            .route("/v1/stripe", post(stripe::webhook))
            .nest("/internal", internal)
            .with_state(self)
    }
}
