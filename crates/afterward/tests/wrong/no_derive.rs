// error: `OrderNew` is not a message
// says: derive it: #[derive(serde::Serialize, serde::Deserialize, afterward::Message)]

use afterward::{Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct OrderNew {
    order_id: String,
}

async fn order_new(order: OrderNew) -> Result<(), String> {
    Err(order.order_id)
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
