//! The story against somebody else's SQS: any endpoint whose address is in `AFTERWARD_TEST_URL`, with credentials from the
//! environment. Its queues (`story-…`) must be new there.
//!
//! ```text
//! AFTERWARD_TEST_URL=http://127.0.0.1:5555 cargo test -p afterward --test library -- --ignored
//! ```

use crate::{batches, counting, enqueueing, limited, story, ticking};
use afterward::sqs::Client;
use std::time::Duration;
use tokio::sync::Mutex;

/// Stories with many calls a second have the server to themselves, one after another: one written in a script that answers all
/// of them from one thread lets each wait for seconds otherwise, and receives time out that have leased messages.
static BUSY: Mutex<()> = Mutex::const_new(());

fn url() -> String {
    std::env::var("AFTERWARD_TEST_URL").expect("AFTERWARD_TEST_URL names the endpoint to test against")
}

fn client() -> Client {
    Client::builder().endpoint(url()).build().expect("the endpoint and its credentials can be used")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn jobs_are_done_once_and_broken_ones_end_in_the_dead_letter_queue() {
    story::jobs_are_done_once_and_broken_ones_end_in_the_dead_letter_queue(&client()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn groups_keep_their_order() {
    story::groups_keep_their_order(&client()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn unfinished_work_is_handed_to_the_next_worker() {
    story::unfinished_work_is_handed_to_the_next_worker(&client()).await;
}

macro_rules! enqueueing {
    ($($story:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs a server: set AFTERWARD_TEST_URL"]
        async fn $story() {
            enqueueing::$story(&client()).await;
        }
    )*};
}

enqueueing::each_story! { enqueueing }

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn a_large_payload_is_claimed_back_from_a_bucket() {
    enqueueing::a_large_payload_is_claimed_back_from_a_bucket(&client(), &url()).await;
}

macro_rules! limited {
    ($($story:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "needs a server: set AFTERWARD_TEST_URL"]
        async fn $story() {
            let _turn = BUSY.lock().await;
            limited::$story(&client()).await;
        }
    )*};
}

limited::each_story! { limited }

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn the_completion_comes_last_where_the_library_keeps_the_batch() {
    let _turn = BUSY.lock().await;
    batches::the_completion_comes_last_where_the_library_keeps_the_batch(&client()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn a_batch_of_a_fifo_queue_is_kept_by_tallies() {
    let _turn = BUSY.lock().await;
    batches::a_batch_of_a_fifo_queue_is_kept_by_tallies(&client()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn a_worker_that_is_killed_while_it_counts_loses_no_completion() {
    let _turn = BUSY.lock().await;
    counting::a_worker_that_is_killed_while_it_counts_loses_no_completion(&client(), &url()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn what_was_missed_is_sent_once() {
    ticking::what_was_missed_is_sent_once(&client(), Duration::from_secs(3600)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a server: set AFTERWARD_TEST_URL"]
async fn a_minute_comes_once() {
    ticking::a_minute_comes_once(&client()).await;
}
