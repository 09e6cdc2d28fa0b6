// error: the trait bound `Declined: StdError` is not satisfied
// error: this is no handler of messages
// says: required for `Result<(), Declined>` to implement `Outcome`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

struct Declined;

#[afterward::debug_handler]
async fn order_new(_: OrderNew) -> Result<(), Declined> {
    Err(Declined)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
