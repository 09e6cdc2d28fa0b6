//! What programs do with the library, as its users would write them: against an Afterward server in this very process, and
//! ([`elsewhere`]) against anybody's.
#![allow(clippy::unwrap_used)] // clippy exempts tests, but not the functions they call

mod batches;
mod counting;
mod elsewhere;
mod end_to_end;
mod enqueue;
mod enqueueing;
mod limited;
mod port;
mod schedules;
mod story;
mod testing;
mod ticking;
