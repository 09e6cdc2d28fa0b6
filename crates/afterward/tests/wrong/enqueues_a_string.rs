// error: `String` is not a message
// says: derive it: #[derive(serde::Serialize, serde::Deserialize, afterward::Message)]

use afterward::{Message, Queue};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn place(queue: Queue, order: OrderNew) {
    let _ = queue.enqueue(&order.order_id).await;
}

fn main() {}
