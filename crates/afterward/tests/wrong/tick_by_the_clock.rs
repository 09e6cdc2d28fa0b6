// error: this is no handler of messages
// says: `Tick` in `.every(…)` and `.cron(…)`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn order_new(_: OrderNew) {}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).every("rate(1 hour)", order_new)
}

fn main() {}
