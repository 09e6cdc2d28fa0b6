//! The kinds of events in a subscription's life.

use super::{Customer, Event, Invoice, PaymentIntent, Subscription, SubscriptionSchedule};

/// What kind of event, as a type. The ones of a subscription's life are in [`kind`]; implement it for any other.
pub trait Kind: 'static {
    /// Stripe's name of it, such as `invoice.paid`.
    const TYPE: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $event_type:literal of $object:ident;)*) => {
        /// Marks of the kinds; the events themselves are beside this module.
        pub mod kind {
            use super::Kind;
            $(
                #[doc = concat!("`", $event_type, "`")]
                #[derive(Debug, Clone, Copy)]
                pub enum $name {}

                impl Kind for $name {
                    const TYPE: &'static str = $event_type;
                }
            )*
        }

        $(
            $(#[$doc])*
            #[doc = ""]
            #[doc = concat!("`", $event_type, "`")]
            pub type $name<Object = $object> = Event<kind::$name, Object>;
        )*

        /// The names of the 24 events of a subscription's life: what to tick where the webhook is set up at Stripe.
        pub const LIFECYCLE: &[&str] = &[$($event_type),*];
    };
}

kinds! {
    /// A customer was made.
    CustomerCreated = "customer.created" of Customer;
    /// A customer signed up for a subscription.
    CustomerSubscriptionCreated = "customer.subscription.created" of Subscription;
    /// A subscription has ended.
    CustomerSubscriptionDeleted = "customer.subscription.deleted" of Subscription;
    /// A subscription is paused: no invoices until it is resumed.
    CustomerSubscriptionPaused = "customer.subscription.paused" of Subscription;
    /// A paused subscription goes on.
    CustomerSubscriptionResumed = "customer.subscription.resumed" of Subscription;
    /// A trial ends in three days, or was ended at once.
    CustomerSubscriptionTrialWillEnd = "customer.subscription.trial_will_end" of Subscription;
    /// A subscription was changed: its plan, its status, its period.
    CustomerSubscriptionUpdated = "customer.subscription.updated" of Subscription;
    /// A draft of an invoice was made.
    InvoiceCreated = "invoice.created" of Invoice;
    /// A draft has become an open invoice.
    InvoiceFinalized = "invoice.finalized" of Invoice;
    /// A draft could not become an invoice.
    InvoiceFinalizationFailed = "invoice.finalization_failed" of Invoice;
    /// An invoice is paid, or was marked so.
    InvoicePaid = "invoice.paid" of Invoice;
    /// A payment waits for the customer to confirm it.
    InvoicePaymentActionRequired = "invoice.payment_action_required" of Invoice;
    /// An attempt to pay an invoice failed.
    InvoicePaymentFailed = "invoice.payment_failed" of Invoice;
    /// An invoice is due in some days; it has no id yet.
    InvoiceUpcoming = "invoice.upcoming" of Invoice;
    /// An invoice was changed.
    InvoiceUpdated = "invoice.updated" of Invoice;
    /// A payment was begun.
    PaymentIntentCreated = "payment_intent.created" of PaymentIntent;
    /// A payment came through.
    PaymentIntentSucceeded = "payment_intent.succeeded" of PaymentIntent;
    /// A schedule ended because its subscription was cancelled for want of payment.
    SubscriptionScheduleAborted = "subscription_schedule.aborted" of SubscriptionSchedule;
    /// A schedule was cancelled, and its subscription with it.
    SubscriptionScheduleCanceled = "subscription_schedule.canceled" of SubscriptionSchedule;
    /// All phases of a schedule are over.
    SubscriptionScheduleCompleted = "subscription_schedule.completed" of SubscriptionSchedule;
    /// A schedule was made.
    SubscriptionScheduleCreated = "subscription_schedule.created" of SubscriptionSchedule;
    /// A schedule ends in seven days.
    SubscriptionScheduleExpiring = "subscription_schedule.expiring" of SubscriptionSchedule;
    /// A schedule has let its subscription go.
    SubscriptionScheduleReleased = "subscription_schedule.released" of SubscriptionSchedule;
    /// A schedule was changed.
    SubscriptionScheduleUpdated = "subscription_schedule.updated" of SubscriptionSchedule;
}
