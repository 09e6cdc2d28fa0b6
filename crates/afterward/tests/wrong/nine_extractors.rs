// error: a handler takes up to eight arguments after its message: make one type of some, which implements `FromJob`
// error: this is no handler of messages
// says: up to eight extractors follow

use afterward::{Context, Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

#[rustfmt::skip]
#[afterward::debug_handler]
async fn order_new(
    _: OrderNew, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context, _: Context,
) {
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
