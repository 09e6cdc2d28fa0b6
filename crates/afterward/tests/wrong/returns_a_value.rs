// error: a handler can't return `Result<String, String>`
// error: this is no handler of messages
// says: a handler returns `()` or a `Result<(), E>`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

#[afterward::debug_handler]
async fn order_new(order: OrderNew) -> Result<String, String> {
    Ok(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
