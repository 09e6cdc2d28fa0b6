// error: the trait bound `Database: Clone` is not satisfied
// error: this is no handler of messages
// says: consider annotating `Database` with `#[derive(Clone)]`

use afterward::{Message, Queue, State, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

struct Database;

#[afterward::debug_handler]
async fn order_new(order: OrderNew, _: State<Database>) -> Result<(), String> {
    Err(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
