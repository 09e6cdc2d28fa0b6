// error: `Raw` is not a message
// says: a handler of `Raw` goes into `.otherwise(…)`

use afterward::{Message, Queue, Raw, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn order_new(order: Raw) -> Result<(), String> {
    Err(order.body)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
