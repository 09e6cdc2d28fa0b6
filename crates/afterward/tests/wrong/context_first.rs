// error: a handler can't take `afterward::Context` as its first argument
// error: a handler can't take `OrderNew` as an argument
// error: this is no handler of messages
// says: what it handles comes first
// says: after its message a handler takes `Context`, `State<T>`

use afterward::{Context, Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

#[afterward::debug_handler]
async fn order_new(_: Context, order: OrderNew) -> Result<(), String> {
    Err(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
