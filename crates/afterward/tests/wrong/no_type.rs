// error: add #[message(type = "…")] to `OrderNew`

use afterward::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
struct OrderNew {
    order_id: String,
}

fn main() {}
