//! A shop, as an example of an application with background work.
//!
//! Its API answers at once and leaves the work to a queue ([`api`]); its worker does the work, and calls the API back with
//! a token ([`worker`], [`callback`]). The two share the types of their messages (the crate `shop-messages`) and nothing
//! else, so they can run in one process, as `cargo run -p shop` has it, or in as many as it takes.

pub mod api;
pub mod callback;
pub mod settings;
pub mod slack_stand_in;
pub mod worker;
