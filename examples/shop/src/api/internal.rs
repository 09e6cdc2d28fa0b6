//! What only the worker may call: the layer around these routes admits its token.
//!
//! Each may come twice, for the worker tries again when an answer is lost: what is done stays done.

use super::{Api, Status, Totals, failure::Failure};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

/// `POST /internal/orders/ID/accepted`
pub(super) async fn accepted(State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    note(&api, &id, Status::Accepted)
}

/// `POST /internal/orders/ID/paid`
pub(super) async fn paid(State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    note(&api, &id, Status::Paid)
}

/// `GET /internal/totals`
pub(super) async fn totals(State(api): State<Api>) -> Json<Totals> {
    Json(api.ledger.totals())
}

fn note(api: &Api, id: &str, status: Status) -> Result<StatusCode, Failure> {
    match api.ledger.reach(id, status) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::not_found("no such order")),
    }
}
