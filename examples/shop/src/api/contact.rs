//! `POST /v1/contact`: the contact form.

use super::{
    Api,
    failure::{Body, Failure},
};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use shop_messages::Contact;

/// Takes the message; whoever wrote it does not wait for Slack.
pub(super) async fn contact(
    State(api): State<Api>,
    Body(contact): Body<Contact>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    if !contact.email.contains('@') || contact.text.trim().is_empty() {
        return Err(Failure::bad_request("an email address and a text, please"));
    }
    let id = api.queue.enqueue(&contact).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "messageId": id.as_str() }))))
}
