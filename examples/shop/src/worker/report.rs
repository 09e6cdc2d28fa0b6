//! The hourly report: run by the clock, once an hour however many workers there are.

use crate::callback::Callback;
use afterward::{Cause, State, Tick, notify::Notifier};

/// Asks the API how business is, and tells the team.
///
/// # Errors
/// When the API or Slack is away.
pub async fn hourly_report(_: Tick, State(api): State<Callback>, State(slack): State<Notifier>) -> Result<(), Cause> {
    let totals = api.totals().await?;
    slack.send(&format!("{} orders so far, {} of them paid", totals.orders, totals.paid)).await?;
    Ok(())
}
