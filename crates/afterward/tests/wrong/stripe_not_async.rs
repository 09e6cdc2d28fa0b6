// error: this is no handler of messages
// says: a handler is an async function
// says: put `#[afterward::debug_handler]` on the function

use afterward::{Message, Queue, Worker, stripe};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

fn paid(_: stripe::InvoicePaid) {}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(stripe::Router::new().on(paid))
}

fn main() {}
