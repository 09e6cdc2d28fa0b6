//! Orders: seen to now, followed up in two days.

use crate::callback::Callback;
use afterward::{
    Cause, Context, Queue, State,
    notify::{Notifier, escaped},
};
use shop_messages::{OrderFollowUp, OrderNew};
use std::time::Duration;

/// When people are asked how they like it.
pub const FOLLOW_UP_AFTER: Duration = Duration::from_secs(2 * 24 * 3600);

/// Picks the items, tells the API, and plans the follow-up.
///
/// # Errors
/// When the API or the queue is away.
pub async fn order_new(
    order: OrderNew,
    cx: Context,
    State(api): State<Callback>,
    State(queue): State<Queue>,
) -> Result<(), Cause> {
    for (picked, item) in order.items.iter().enumerate() {
        cx.progress(picked as f64 / order.items.len() as f64, format_args!("picking {} × {}", item.quantity, item.sku));
        // Here somebody walks through the warehouse.
    }
    api.accepted(&order.order_id).await?;
    // Last, so that trouble before does not plan it twice. Should this attempt end between here and its acknowledgement,
    // somebody is asked twice, and no harm is done.
    let follow_up = OrderFollowUp { order_id: order.order_id, email: order.email };
    queue.enqueue(&follow_up).delay(FOLLOW_UP_AFTER).await?;
    Ok(())
}

/// Asks how they like it: by way of the team, as the shop sends no mail yet.
///
/// # Errors
/// When Slack is away.
pub async fn follow_up(order: OrderFollowUp, State(slack): State<Notifier>) -> Result<(), Cause> {
    slack.send(&format!("Time to ask {} about {}", escaped(&order.email), escaped(&order.order_id))).await?;
    Ok(())
}
