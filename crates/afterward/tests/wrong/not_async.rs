// error: a handler is an async function: `async fn`
// error: this is no handler of messages

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

#[afterward::debug_handler]
fn order_new(order: OrderNew) -> Result<(), String> {
    Err(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
