//! The strings with a grammar: accounts, regions, queue names, ARNs, ids.
//!
//! What is accepted is shown as a text that is accepted as the same.

use afterward_names::{AccountId, BatchId, DeduplicationId, GroupId, MessageId, QueueArn, QueueName, Region};
use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

/// Any bytes.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let _ = AccountId::of_access_key(text);
    kept::<AccountId>(text);
    kept::<BatchId>(text);
    kept::<DeduplicationId>(text);
    kept::<GroupId>(text);
    kept::<MessageId>(text);
    kept::<Region>(text);
    if let Some(name) = kept::<QueueName>(text) {
        assert_eq!(name.is_fifo(), text.ends_with(".fifo"));
        assert!(text.len() <= 80, "80 characters are what AWS allows");
    }
    if let Some(arn) = kept::<QueueArn>(text) {
        assert_eq!(arn.0.arn(), arn);
    }
}

fn kept<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Option<T>
where
    T::Err: Debug,
{
    let name: T = text.parse().ok()?;
    let again = name.to_string().parse::<T>();
    assert_eq!(again.as_ref().ok(), Some(&name), "{text:?} is shown as {name}");
    Some(name)
}
