// error: this is no handler of messages
// error: the method `max_attempts` exists for struct `Handling<fn(OrderNew) -> String {order_new}, _, _>`, but its trait bounds were not satisfied
// says: a handler is an async function
// says: put `#[afterward::debug_handler]` on the function

use afterward::{Message, Queue, Worker, handler};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

fn order_new(order: OrderNew) -> String {
    order.order_id
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(handler(order_new).max_attempts(3))
}

fn main() {}
