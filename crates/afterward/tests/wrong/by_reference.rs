// error: `&OrderNew` is not a message
// says: the trait `afterward::Message` is implemented for `OrderNew`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn order_new(order: &OrderNew) -> Result<(), String> {
    Err(order.order_id.clone())
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
