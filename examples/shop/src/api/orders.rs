//! `POST /v1/orders` and `GET /v1/orders/ID`.

use super::{
    Api, Order,
    failure::{Body, Failure},
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use shop_messages::{Item, OrderNew};

/// What is ordered.
#[derive(Deserialize)]
pub(super) struct Basket {
    email: String,
    items: Vec<Item>,
}

/// Notes the order, and leaves what follows from it to the worker.
pub(super) async fn place(
    State(api): State<Api>,
    Body(basket): Body<Basket>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    if basket.items.iter().all(|item| item.quantity == 0) {
        return Err(Failure::bad_request("the basket is empty"));
    }
    let order_id = api.ledger.place(&basket.email);
    let order = OrderNew { order_id, email: basket.email, items: basket.items };
    if let Err(error) = api.queue.enqueue(&order).await {
        // The client is told to try again, which is another order then. Should the queue have taken this one after all (its
        // answer was lost), then the worker is told that there is no such order, and its job is dead-lettered for somebody to see.
        api.ledger.withdraw(&order.order_id);
        return Err(error.into());
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "orderId": order.order_id }))))
}

/// How an order stands.
pub(super) async fn show(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Order>, Failure> {
    api.ledger.order(&id).map(Json).ok_or_else(|| Failure::not_found("no such order"))
}
