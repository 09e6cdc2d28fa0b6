//! The guide: how to build with this library, from the first job to production.
//!
//! | | |
//! | --- | --- |
//! | [`getting_started`] | a server, a crate for the messages, an API, a worker |
//! | [`retries`] | what becomes of a job that fails; dead letters; being told |
//! | [`time`] | delays and schedules |
//! | [`order`] | FIFO queues, limits, unique jobs |
//! | [`progress`] | how far a job is, cancelling, batches, pausing |
//! | [`payloads`] | what is too large for a message |
//! | [`services`] | Stripe's webhooks, calls back into an API, notices to people |
//! | [`testing`] | a broker in the test's process whose clock the test moves |
//! | [`amazon`] | the same program on Amazon SQS |
//! | [`javascript`] | messages from and for other languages; coming from a dispatcher in JavaScript |

#[doc = include_str!("../guide/amazon.md")]
pub mod amazon {}

#[doc = include_str!("../guide/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("../guide/javascript.md")]
pub mod javascript {}

#[doc = include_str!("../guide/order.md")]
pub mod order {}

#[doc = include_str!("../guide/payloads.md")]
pub mod payloads {}

#[doc = include_str!("../guide/progress.md")]
pub mod progress {}

#[doc = include_str!("../guide/retries.md")]
pub mod retries {}

#[doc = include_str!("../guide/services.md")]
pub mod services {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/time.md")]
pub mod time {}
