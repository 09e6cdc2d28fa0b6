//! Clients that go away while they wait for a message.

use crate::rig::{Rig, until};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A long poll, byte by byte.
fn receive_request(rig: &Rig, queue: &str) -> String {
    let body = json!({"QueueUrl": queue, "WaitTimeSeconds": 20, "VisibilityTimeout": 600}).to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amz-target: AmazonSQS.ReceiveMessage\r\ncontent-length: {}\r\n\r\n",
        rig.address,
        body.len()
    );
    head + &body
}

/// A long poll on a socket of its own, which waits at the broker.
async fn long_poll(rig: &Rig, queue: &str) -> TcpStream {
    let before = rig.broker.metrics().waiting_receives;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(receive_request(rig, queue).as_bytes()).await.unwrap();
    until("the receive waits", || async { rig.broker.metrics().waiting_receives > before }).await;
    stream
}

async fn send(rig: &Rig, queue: &str) {
    rig.call("SendMessage", json!({"QueueUrl": queue, "MessageBody": "one"})).await;
}

/// Receives the message, and says how often it has been received.
async fn receive_count(rig: &Rig, queue: &str) -> String {
    let request = json!({"QueueUrl": queue, "WaitTimeSeconds": 20, "AttributeNames": ["All"]});
    // The broker's clock stands still: neither a wait nor a lease ends by itself.
    let received = tokio::time::timeout(Duration::from_secs(60), rig.call("ReceiveMessage", request));
    let received = received.await.expect("the message is to be had");
    received["Messages"][0]["Attributes"]["ApproximateReceiveCount"].as_str().unwrap().to_owned()
}

#[derive(Debug, Clone, Copy)]
enum Leaves {
    Closes,
    /// Says that nothing more comes from there, and still listens: nothing is waited for on their behalf, and they are
    /// told so.
    HalfCloses,
    /// With a reset, as a killed process whose socket has something unread.
    Resets,
}

/// Leaves; what is still open of the socket is given back.
async fn leave(mut stream: TcpStream, how: Leaves) -> Option<TcpStream> {
    match how {
        Leaves::Closes => None,
        Leaves::HalfCloses => {
            stream.shutdown().await.unwrap();
            Some(stream)
        }
        Leaves::Resets => {
            stream.set_zero_linger().unwrap();
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_poll_of_somebody_who_has_gone_takes_nothing() {
    for how in [Leaves::Closes, Leaves::HalfCloses, Leaves::Resets] {
        let rig = Rig::start().await;
        let queue = rig.standard("q").await;
        let gone = long_poll(&rig, &queue).await;
        let mut rest = leave(gone, how).await;
        if let Some(stream) = &mut rest {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{how:?}: {answer}");
        }
        until("the wait has ended", || async { rig.broker.metrics().waiting_receives == 0 }).await;
        send(&rig, &queue).await;
        assert_eq!(receive_count(&rig, &queue).await, "1", "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_gone_is_noticed_behind_what_they_sent_ahead() {
    for how in [Leaves::Closes, Leaves::Resets] {
        let rig = Rig::start().await;
        let queue = rig.standard("q").await;
        let mut gone = long_poll(&rig, &queue).await;
        let ahead = format!("GET /_afterward/health HTTP/1.1\r\nhost: {}\r\n\r\n", rig.address);
        // More than is read while the receive waits.
        gone.write_all(ahead.repeat(500).as_bytes()).await.unwrap();
        leave(gone, how).await;
        until("the wait has ended", || async { rig.broker.metrics().waiting_receives == 0 }).await;
        send(&rig, &queue).await;
        assert_eq!(receive_count(&rig, &queue).await, "1", "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_at_once_goes_to_who_only_says_that_nothing_more_comes() {
    let rig = Rig::start().await;
    let queue = rig.standard("q").await;
    send(&rig, &queue).await;
    // Its lease is not durable before the client has sent all that it will send.
    rig.log.hold();
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(receive_request(&rig, &queue).as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let log = rig.log.clone();
    tokio::task::spawn_blocking(move || log.wait_until_held(1)).await.unwrap();
    rig.log.release();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\"Body\":\"one\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_leased_to_somebody_who_has_gone_goes_to_the_next() {
    for how in [Leaves::Closes, Leaves::HalfCloses, Leaves::Resets] {
        let rig = Rig::start().await;
        let queue = rig.standard("q").await;
        let gone = long_poll(&rig, &queue).await;
        // The send wakes the receive, and its lease goes to the disk with it …
        rig.log.hold();
        let (sending, log) = (send(&rig, &queue), rig.log.clone());
        let meanwhile = async {
            tokio::task::spawn_blocking(move || log.wait_until_held(1)).await.unwrap();
            // … while its caller goes.
            let rest = leave(gone, how).await;
            until("the receive has ended", || async { rig.broker.metrics().waiting_receives == 0 }).await;
            rig.log.release();
            rest
        };
        let ((), _rest) = tokio::join!(sending, meanwhile);
        assert_eq!(receive_count(&rig, &queue).await, "2", "{how:?}");
    }
}
