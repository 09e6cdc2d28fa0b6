// error: the trait bound `OrderNew: serde::Deserialize<'de>` is not satisfied
// says: adding `#[derive(serde::Deserialize)]`
// says: required by a bound in `afterward::Message`

use afterward::Message;
use serde::Serialize;

#[derive(Serialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    order_id: String,
}

fn main() {}
