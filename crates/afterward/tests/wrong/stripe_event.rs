// error: `OrderNew` is not an event of Stripe's
// says: takes `stripe::InvoicePaid` or another of `stripe`'s events

use afterward::{Message, Queue, Worker, stripe};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

async fn order_new(_: OrderNew) {}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(stripe::Router::new().on(order_new))
}

fn main() {}
