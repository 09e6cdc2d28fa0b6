// error: a handler can't take `Database` as an argument
// error: this is no handler of messages
// says: after its message a handler takes `Context`, `State<T>`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

struct Database;

#[afterward::debug_handler]
async fn order_new(order: OrderNew, _: Database) -> Result<(), String> {
    Err(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
