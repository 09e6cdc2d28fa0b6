//! The objects that the events of a subscription's life are about: what handlers ask for, and the rest as JSON.
//!
//! They have to be read in the shape of every API version that an account may be pinned to. So little is required, amounts are
//! in the smallest unit of their currency as Stripe has them, times in seconds since 1970, and what moved between versions has a
//! method that looks in all its places.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// An object of Stripe's: its own members, and those that all have.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$of])* pub $member: $type,)*
            /// What you attached.
            #[serde(default, deserialize_with = "or_empty")]
            pub metadata: BTreeMap<String, String>,
            /// Everything else.
            #[serde(flatten)]
            pub rest: Map<String, Value>,
        }
    };
}

object! {
    /// `customer`
    Customer {
        /// `cus_…`
        id: String,
        /// Where mails go.
        email: Option<String>,
        /// The full name, or the company's.
        name: Option<String>,
        /// What you said of them.
        description: Option<String>,
    }
}

object! {
    /// `subscription`
    Subscription {
        /// `sub_…`
        id: String,
        /// The customer's id.
        #[serde(deserialize_with = "id")]
        customer: String,
        /// `active`, `trialing`, `past_due`, `canceled`, `unpaid`, `incomplete`, `incomplete_expired`, `paused`, and what Stripe adds.
        status: String,
        /// Whether it ends when the period does.
        #[serde(default)]
        cancel_at_period_end: bool,
        /// When it will be cancelled.
        cancel_at: Option<i64>,
        /// When it was cancelled.
        canceled_at: Option<i64>,
        /// When it ended.
        ended_at: Option<i64>,
        /// When its trial ends.
        trial_end: Option<i64>,
    }
}

impl Subscription {
    /// When the period that is paid for ends. It was the subscription's; since API version 2025-03-31 each item has its own, of
    /// which this is the first to end.
    pub fn current_period_end(&self) -> Option<i64> {
        let of_items = self.items().filter_map(|item| item["current_period_end"].as_i64()).min();
        self.rest.get("current_period_end").and_then(Value::as_i64).or(of_items)
    }

    /// The ids of the prices that are paid.
    pub fn prices(&self) -> impl Iterator<Item = &str> {
        self.items().filter_map(|item| item["price"]["id"].as_str())
    }

    fn items(&self) -> impl Iterator<Item = &Value> {
        self.rest.get("items").and_then(|items| items["data"].as_array()).into_iter().flatten()
    }
}

object! {
    /// `invoice`
    Invoice {
        /// `in_…`; an upcoming invoice has none.
        id: Option<String>,
        /// The customer's id.
        #[serde(default, deserialize_with = "optional_id")]
        customer: Option<String>,
        /// Where mails went when it was finalized.
        customer_email: Option<String>,
        /// `draft`, `open`, `paid`, `uncollectible` or `void`; an upcoming one may have none.
        status: Option<String>,
        /// The number that the customer sees.
        number: Option<String>,
        /// Three small letters.
        currency: String,
        /// What is to be paid, in the currency's smallest unit.
        amount_due: i64,
        /// What was paid.
        amount_paid: i64,
        /// What is still to be paid.
        amount_remaining: i64,
        /// How often payment was tried.
        #[serde(default)]
        attempt_count: u64,
        /// When payment is tried again.
        next_payment_attempt: Option<i64>,
        /// Why there is an invoice: `subscription_create`, `subscription_cycle`, `manual` and others.
        billing_reason: Option<String>,
        /// The page where the customer sees and pays it.
        hosted_invoice_url: Option<String>,
    }
}

impl Invoice {
    /// The id of the subscription that it is for: `subscription`, or since API version 2025-03-31
    /// `parent.subscription_details.subscription`.
    pub fn subscription(&self) -> Option<&str> {
        let of_parent = || Some(&self.rest.get("parent")?["subscription_details"]["subscription"]);
        id_of(self.rest.get("subscription").filter(|subscription| !subscription.is_null()).or_else(of_parent)?)
    }
}

object! {
    /// `payment_intent`
    PaymentIntent {
        /// `pi_…`
        id: String,
        /// The customer's id.
        #[serde(default, deserialize_with = "optional_id")]
        customer: Option<String>,
        /// What is to be paid, in the currency's smallest unit.
        amount: i64,
        /// What has been paid.
        #[serde(default)]
        amount_received: i64,
        /// Three small letters.
        currency: String,
        /// `requires_payment_method`, `processing`, `succeeded` and others.
        status: String,
        /// Where the receipt goes.
        receipt_email: Option<String>,
        /// What you said of it.
        description: Option<String>,
    }
}

object! {
    /// `subscription_schedule`
    SubscriptionSchedule {
        /// `sub_sched_…`
        id: String,
        /// The customer's id.
        #[serde(deserialize_with = "id")]
        customer: String,
        /// The id of the subscription that it changes.
        #[serde(default, deserialize_with = "optional_id")]
        subscription: Option<String>,
        /// The id of the subscription that it has let go.
        #[serde(default, deserialize_with = "optional_id")]
        released_subscription: Option<String>,
        /// `not_started`, `active`, `completed`, `released` or `canceled`.
        status: String,
    }
}

/// A reference to another object: its id, or where it was expanded, the object.
fn id_of(reference: &Value) -> Option<&str> {
    reference.as_str().or_else(|| reference["id"].as_str())
}

fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let missing = || serde::de::Error::custom("neither an id nor an object with one");
    optional_id(deserializer)?.ok_or_else(missing)
}

fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let reference = Value::deserialize(deserializer)?;
    Ok(id_of(&reference).map(str::to_owned))
}

fn or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
