// error: future cannot be sent between threads safely
// error: this is no handler of messages
// says: has type `Rc<OrderNew>` which is not `Send`

use afterward::{Message, Queue, Worker};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

#[afterward::debug_handler]
async fn order_new(order: OrderNew) {
    let counted = std::rc::Rc::new(order);
    std::future::ready(()).await;
    drop(counted);
}

fn worker(queue: Queue) -> Worker<Queue> {
    Worker::new(queue).on(order_new)
}

fn main() {}
