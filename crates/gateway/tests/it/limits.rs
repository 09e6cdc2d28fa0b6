//! What clients may do to a connection, and what becomes of those who do more.

use crate::rig::{Rig, settings, status, until};
use http::StatusCode;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A server whose patience is short enough to be met in a test, and long enough for a request that a busy machine is slow
/// to send.
async fn impatient() -> Rig {
    let mut settings = settings();
    settings.limits.header = Duration::from_millis(1000);
    settings.limits.body = Duration::from_millis(1200);
    settings.limits.idle = Duration::from_millis(1400);
    Rig::with(settings).await
}

/// A server that takes two mebibytes, in as much time as others, and closes soon after the last reply.
async fn small() -> Rig {
    let mut settings = settings();
    settings.limits.idle = Duration::from_millis(1400);
    settings.limits.body_bytes = 2 << 20;
    Rig::with(settings).await
}

/// Sends these bytes, then reads until the server closes.
async fn until_closed(rig: &Rig, bytes: &[u8]) -> (String, Duration) {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let began = Instant::now();
    stream.write_all(bytes).await.unwrap();
    let mut reply = Vec::new();
    // A connection that is cut may end in a reset rather than in an orderly close.
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut reply)).await.expect("it closes");
    (String::from_utf8_lossy(&reply).into_owned(), began.elapsed())
}

#[tokio::test]
async fn slow_clients_are_cut() {
    let rig = impatient().await;
    for (bytes, least_ms) in
        [(&b""[..], 1400), (b"POST / HT", 1000), (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc", 1200)]
    {
        let (reply, took) = until_closed(&rig, bytes).await;
        assert_eq!(reply, "", "{:?}", String::from_utf8_lossy(bytes));
        assert!(took >= Duration::from_millis(least_ms), "{took:?}");
    }
    let rig = small().await;
    let (reply, _) = until_closed(&rig, b"GET /_afterward/health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 200"), "an idle connection is cut only after its reply: {reply}");
}

#[tokio::test]
async fn a_long_poll_is_not_slow() {
    let rig = impatient().await;
    // All but the poll itself may be as slow as the machine is.
    let door = rig.another_door().await;
    let url = door.standard("chores").await;
    let wait = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let (received, ()) = tokio::join!(rig.call("ReceiveMessage", wait), async {
        // The pause is what is tested: twice as long as any limit.
        tokio::time::sleep(Duration::from_millis(2800)).await;
        door.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
    });
    assert_eq!(received["Messages"][0]["Body"], "x");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_413_however_they_come() {
    let rig = small().await;
    rig.standard("jobs").await;
    let large = vec![b' '; (2 << 20) + 1];
    let announced = rig.json_request("SendMessage", &json!({})).body(large.clone().into()).unwrap();
    let announced = rig.send(announced).await;
    assert_eq!(announced.status, status(StatusCode::PAYLOAD_TOO_LARGE));
    assert!(announced.body.contains("RequestEntityTooLarge"), "{}", announced.body);
    assert_eq!(rig.post("/jobs", large.clone()).await.status, 413);
    assert_eq!(rig.query("/", &"x".repeat(large.len())).await.status, 413);

    let mut chunked = b"POST /jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    chunked.extend(format!("{:x}\r\n", large.len()).as_bytes());
    chunked.extend(&large);
    chunked.extend(b"\r\n0\r\n\r\n");
    let (reply, _) = until_closed(&rig, &chunked).await;
    assert!(reply.starts_with("HTTP/1.1 413"), "{reply}");
}

#[tokio::test]
async fn who_asks_first_is_told_before_they_send() {
    let rig = small().await;
    rig.standard("jobs").await;
    let head = "POST /jobs HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ";
    let (refused, _) = until_closed(&rig, format!("{head}99999999\r\n\r\n").as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");

    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(format!("{head}2\r\n\r\n").as_bytes()).await.unwrap();
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..length].starts_with(b"HTTP/1.1 100 Continue"));
    stream.write_all(b"{}").await.unwrap();
    let length = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..length].starts_with(b"HTTP/1.1 202"));
}

#[tokio::test]
async fn chunked_and_pipelined_requests_are_understood() {
    let rig = small().await;
    rig.standard("jobs").await;
    let chunked = "POST /jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
    let (reply, _) = until_closed(&rig, chunked.repeat(3).as_bytes()).await;
    assert_eq!(reply.matches("HTTP/1.1 202").count(), 3, "{reply}");
    let (reply, _) =
        until_closed(&rig, b"POST /jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: zip\r\n\r\n")
            .await;
    assert!(reply.starts_with("HTTP/1.1 400"), "{reply}");
}

#[tokio::test]
async fn heads_are_bounded() {
    let rig = small().await;
    let mut head = b"GET / HTTP/1.1\r\nhost: x\r\nlarge: ".to_vec();
    head.extend(vec![b'x'; 70_000]);
    head.extend(b"\r\n\r\n");
    let (reply, _) = until_closed(&rig, &head).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
    let many: String = (0..200).map(|n| format!("h{n}: x\r\n")).collect();
    let (reply, _) = until_closed(&rig, format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 431"), "{reply}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_room() {
    let mut settings = settings();
    settings.limits.connections = 1;
    let rig = Rig::with(settings).await;
    let first = TcpStream::connect(rig.address).await.unwrap();
    let mut second = TcpStream::connect(rig.address).await.unwrap();
    second.write_all(b"GET /_afterward/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut reply = Vec::new();
    let early = tokio::time::timeout(Duration::from_millis(100), second.read_to_end(&mut reply)).await;
    assert!(early.is_err(), "there is no room yet");
    drop(first);
    second.read_to_end(&mut reply).await.unwrap();
    assert!(reply.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_drain_ends_long_polls_and_loses_no_request() {
    // Long enough that who waits for the half request, or for the idle connection, cuts them off in the end.
    let mut settings = settings();
    settings.limits.header = Duration::from_secs(3600);
    settings.limits.idle = Duration::from_secs(3600);
    let rig = Rig::with(settings).await;
    let url = rig.standard("chores").await;
    let idle = TcpStream::connect(rig.address).await.unwrap();
    let mut half = TcpStream::connect(rig.address).await.unwrap();
    half.write_all(b"POST / HT").await.unwrap();
    let request = json!({"QueueUrl": url, "WaitTimeSeconds": 20});
    let request = rig.json_request("ReceiveMessage", &request).body(bytes::Bytes::from(request.to_string())).unwrap();
    let address = rig.address;
    let waiting = tokio::spawn(async move {
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        crate::rig::read(sender.send_request(request.map(http_body_util::Full::new)).await.unwrap()).await
    });
    until("the receive waits", || async { rig.broker.metrics().waiting_receives == 1 }).await;
    rig.broker.end_waits();
    assert_eq!(rig.listening.drain(Duration::from_secs(60)).await, 0, "nobody had to be cut off");
    let reply = waiting.await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(TcpStream::connect(address).await.is_err(), "nobody is let in any more");
    drop((idle, half));
}
