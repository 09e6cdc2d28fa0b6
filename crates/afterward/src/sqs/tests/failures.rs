use super::*;

#[tokio::test]
async fn what_may_work_a_moment_later_is_tried_again() {
    for trouble in [
        Answer::HangUp,
        error(500, "InternalFailure", ""),
        Answer::Reply(503, "<html>busy</html>".into()),
        Answer::Reply(429, String::new()),
        error(400, "RequestThrottled", "slow down"),
        error(403, "AWS.SimpleQueueService.RequestThrottled", "slow down"),
    ] {
        let server = Server::scripted([trouble.clone(), trouble, ok(r#"{"MessageId":"m1"}"#)]).await;
        let sent = client(&server.url()).send_message(send("x")).await.unwrap();
        assert_eq!(sent.message_id.as_deref(), Some("m1"));
        assert_eq!(server.asked().len(), 3);
    }
}

#[tokio::test]
async fn what_will_not_work_is_not_tried_again() {
    for (status, code) in [(400, "QueueDoesNotExist"), (403, "AccessDenied"), (404, "NotFound")] {
        let server = Server::scripted([error(status, code, "no"), ok("{}")]).await;
        let error = client(&server.url()).send_message(send("x")).await.unwrap_err();
        assert_eq!((error.status(), error.code(), error.attempts()), (Some(status), Some(code), 1));
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn attempts_have_an_end() {
    let server = Server::ruled(|_| error(503, "ServiceUnavailable", "down")).await;
    let error = client(&server.url()).send_message(send("x")).await.unwrap_err();
    assert_eq!((error.attempts(), server.asked().len(), error.is_transient()), (3, 3, true));

    let once = builder(&server.url()).attempts(1).build().unwrap();
    assert_eq!(once.send_message(send("x")).await.unwrap_err().attempts(), 1);
}

#[tokio::test]
async fn an_error_says_where_what_and_why() {
    let server = Server::scripted([error(400, "QueueDoesNotExist", "The specified queue does not exist.")]).await;
    let request = PurgeQueueRequest { queue_url: format!("{}/000000000000/mails", server.url()) };
    let error = client(&server.url()).purge_queue(request).await.unwrap_err();
    let expected = format!(
        "PurgeQueue of `mails` at {}: QueueDoesNotExist (HTTP 400): The specified queue does not exist.",
        server.url()
    );
    assert_eq!(error.to_string(), expected);
    assert!(error.is_queue_missing());
    assert_eq!((error.action(), error.message()), ("PurgeQueue", Some("The specified queue does not exist.")));
}

#[tokio::test]
async fn nobody_there_is_said_with_what_to_do() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = builder(&url).attempts(2).build().unwrap();
    let error = client.list_queues(ListQueuesRequest::default()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unreachable(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("ListQueues at {url}: no connection: Connection refused")), "{text}");
    assert!(text.ends_with("(tried 2 times); is the server running? `afterward serve` starts one"), "{text}");
}

#[tokio::test]
async fn something_that_is_not_sqs_is_told_as_such() {
    let server = Server::ruled(|_| ok("<html>It works!</html>")).await;
    let error = client(&server.url()).list_queues(ListQueuesRequest::default()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadReply(_)), "{error:?}");
    assert_eq!(server.asked().len(), 1, "it will not turn into SQS");
}

#[tokio::test]
async fn a_reply_that_does_not_come_is_given_up() {
    let server = Server::ruled(|_| Answer::Late(Duration::from_secs(60), 200, "{}".into())).await;
    // Long enough for each attempt to arrive.
    let builder = builder(&server.url()).timeout(Duration::from_secs(1)).attempts(2);
    let error = builder.build().unwrap().list_queues(ListQueuesRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut(Duration::from_secs(1)));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_long_poll_may_take_its_wait_beyond_the_timeout() {
    let server = Server::ruled(|_| Answer::Late(Duration::from_millis(800), 200, "{}".into())).await;
    let client = builder(&server.url()).timeout(Duration::from_millis(200)).build().unwrap();
    let poll = |wait| ReceiveMessageRequest { wait_time_seconds: wait, ..Default::default() };
    for wait in [Some(10), None] {
        assert_eq!(client.receive_message(poll(wait)).await.unwrap().messages, []);
    }
    assert!(client.receive_message(poll(Some(0))).await.is_err());
}
