//! `POST /v1/stripe`: the webhook that Stripe calls.

use super::{Api, failure::Failure};
use afterward::stripe::Webhook;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};

/// Believes what Stripe signed, queues it, and answers: Stripe waits a few seconds at most, and sends again what failed.
pub(super) async fn webhook(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Bytes, // as it came, for it is what was signed
) -> Result<StatusCode, Failure> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let event = Webhook::verified(signature, &body, &api.stripe_secret).map_err(Failure::bad_request)?;
    api.queue.enqueue(&event).await?;
    Ok(StatusCode::OK)
}
