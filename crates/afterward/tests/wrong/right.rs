// Compiles: the test finds the library to compile against by it.

use afterward::{Context, Message, Queue, State, Worker, stripe};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn order_new(order: OrderNew, _: Context, State(text): State<String>) -> Result<(), String> {
    Err(format!("{}{text}", order.order_id))
}

async fn paid(_: stripe::InvoicePaid) {}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new).on(stripe::Router::new().on(paid)).state(String::new())
}

fn main() {
    let _ = worker as fn(Queue) -> Worker<Queue>;
}
