//! Stripe's events: the second level of dispatch, by the event's own type.

use crate::callback::Callback;
use afterward::{
    Cause, Fail, State,
    notify::{Notifier, escaped},
    stripe::{CustomerSubscriptionDeleted, InvoicePaid, InvoicePaymentFailed, Router},
};

/// A handler for each kind of event that the shop cares for; others are logged once and done with.
pub(super) fn router() -> Router {
    Router::new().on(paid).on(payment_failed).on(subscription_deleted)
}

/// Invoices are made with the order's id in their metadata.
async fn paid(event: InvoicePaid, State(api): State<Callback>) -> Result<(), Cause> {
    let invoice = event.object;
    match invoice.metadata.get("order_id") {
        Some(order_id) => api.paid(order_id).await,
        None => Err(Fail::new(format!("the invoice {} has no order_id", invoice.id.unwrap_or_default())))?,
    }
}

async fn payment_failed(event: InvoicePaymentFailed, State(slack): State<Notifier>) -> Result<(), Cause> {
    let invoice = event.object;
    let who = invoice.customer_email.or(invoice.customer).unwrap_or_default();
    let due = amount(invoice.amount_due, &invoice.currency);
    slack.send(&format!("{} could not pay {due}", escaped(&who))).await?;
    Ok(())
}

/// An amount as people write it: Stripe counts in hundredths, as the shop's currencies have them.
fn amount(hundredths: i64, currency: &str) -> String {
    format!("{}.{:02} {}", hundredths / 100, hundredths % 100, currency.to_uppercase())
}

async fn subscription_deleted(event: CustomerSubscriptionDeleted, State(slack): State<Notifier>) -> Result<(), Cause> {
    slack.send(&format!("{} has left", escaped(&event.object.customer))).await?;
    Ok(())
}
