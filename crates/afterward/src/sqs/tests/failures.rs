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
    // A port that is taken, and that nobody listens on.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
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
    // Long enough for each attempt to arrive, on a busy machine, too.
    let patience = Duration::from_secs(3);
    let builder = builder(&server.url()).timeout(patience).attempts(2);
    let error = builder.build().unwrap().list_queues(ListQueuesRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::TimedOut(patience));
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_long_poll_may_take_its_wait_beyond_the_timeout() {
    let server = Server::ruled(|asked| {
        let body: serde_json::Value = serde_json::from_slice(asked.body()).unwrap();
        // Without a wait, it does not come at all: however slow the machine is, the timeout is before it.
        let late_ms = if body["WaitTimeSeconds"] == 0 { 60_000 } else { 800 };
        Answer::Late(Duration::from_millis(late_ms), 200, "{}".into())
    })
    .await;
    let client = builder(&server.url()).timeout(Duration::from_millis(200)).build().unwrap();
    let poll = |wait| ReceiveMessageRequest { wait_time_seconds: wait, ..Default::default() };
    for wait in [Some(10), None] {
        assert_eq!(client.receive_message(poll(wait)).await.unwrap().messages, []);
    }
    assert!(client.receive_message(poll(Some(0))).await.is_err());
}

/// The access key ids that requests were signed with.
fn signers(server: &Server) -> Vec<String> {
    let of = |asked: &http::Request<Bytes>| {
        let text = asked.headers()["authorization"].to_str().unwrap().to_owned();
        text.split(['=', '/']).nth(1).unwrap().to_owned()
    };
    server.asked().iter().map(of).collect()
}

#[tokio::test]
async fn keys_of_a_profile_are_read_again_when_nobody_knows_them_any_more() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let write = |id: &str| {
        let text = format!("[default]\naws_access_key_id={id}\naws_secret_access_key=s\naws_session_token=t\n");
        std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
    };
    for code in ["ExpiredToken", "InvalidClientTokenId", "UnrecognizedClientException"] {
        write("OLD");
        let server = Server::ruled(move |asked| {
            let is_known = asked.headers()["authorization"].to_str().unwrap().contains("=NEW/");
            if is_known { ok(r#"{"MessageId":"m1"}"#) } else { error(403, code, "The security token is expired") }
        })
        .await;
        let variable = |name: &str| (name == "HOME").then(|| home.path().to_str().unwrap().to_owned());
        let environment = credentials::Environment { variable: &variable };
        let client = Client::builder().endpoint(server.url()).build_in(&environment).unwrap();
        // Nobody has renewed them yet.
        assert_eq!(client.send_message(send("x")).await.unwrap_err().code(), Some(code));
        write("NEW");
        for _ in 0..2 {
            client.send_message(send("x")).await.unwrap();
        }
        assert_eq!(signers(&server), ["OLD", "OLD", "OLD", "NEW", "NEW"], "{code}");
        // Those that the program gave are its own to renew.
        super::client(&server.url()).send_message(send("x")).await.unwrap_err();
        assert_eq!(signers(&server).last().map(|id| &**id), Some("AKTEST"));
        assert_eq!(server.asked().len(), 6);
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_put_right_by_the_service_once() {
    let times = |server: &Server| -> Vec<String> {
        server.asked().iter().map(|asked| asked.headers()["x-amz-date"].to_str().unwrap()[..8].to_owned()).collect()
    };
    let skewed = |code: &str| {
        let body = format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"Signature expired"}}"#);
        Answer::Dated("Wed, 01 Mar 2090 12:00:00 GMT", 403, body)
    };
    for code in ["RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch"] {
        let server = Server::scripted([skewed(code), ok(r#"{"MessageId":"m1"}"#), ok(r#"{"MessageId":"m2"}"#)]).await;
        let client = client(&server.url());
        for _ in 0..2 {
            client.send_message(send("x")).await.unwrap();
        }
        let [first, second, third] = &times(&server)[..] else { panic!() };
        assert_ne!(first, "20900301");
        assert_eq!((&**second, &**third), ("20900301", "20900301"), "{code}");
    }
    // Not the time: it is refused again, or for something else, or the service's time is as ours.
    for answers in [
        vec![skewed("RequestTimeTooSkewed"), skewed("RequestTimeTooSkewed")],
        vec![skewed("AccessDenied")],
        vec![error(403, "SignatureDoesNotMatch", "wrong secret")],
    ] {
        let count = answers.len();
        let server = Server::scripted(answers).await;
        client(&server.url()).send_message(send("x")).await.unwrap_err();
        assert_eq!(server.asked().len(), count);
    }
}

#[tokio::test]
async fn calls_at_the_same_time_are_all_put_right() {
    let server = Server::ruled(|asked| match &asked.headers()["x-amz-date"].to_str().unwrap()[..8] {
        "20900301" => ok(r#"{"MessageId":"m1"}"#),
        _ => Answer::Dated(
            "Wed, 01 Mar 2090 12:00:00 GMT",
            403,
            r#"{"__type":"RequestTimeTooSkewed","message":""}"#.to_owned(),
        ),
    })
    .await;
    let client = client(&server.url());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let client = client.clone();
        calls.spawn(async move { client.send_message(send("x")).await });
    }
    for sent in calls.join_all().await {
        sent.unwrap();
    }
}

#[tokio::test]
async fn words_that_leave_a_person_alone_come_with_what_to_do() {
    let no_id =
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
    let too_long = "One or more parameters are invalid. Reason: Message must be shorter than 2048 bytes.";
    for (words, hint) in [
        (no_id, "(add .dedup(…) or .unique(…) to the message"),
        (
            too_long,
            "(that is the queue's attribute MaximumMessageSize: raise it, or name a store for what is larger, by \
                    AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at)",
        ),
    ] {
        // As Amazon has it in Query, and in JSON.
        for (code, hinted) in
            [("InvalidParameterValue", true), ("InvalidParameterValueException", true), ("AccessDenied", false)]
        {
            let server = Server::scripted([error(400, code, words)]).await;
            let error = client(&server.url()).send_message(send("x")).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert_eq!(error.contains(hint), hinted, "{error}");
        }
    }
}

#[tokio::test]
async fn an_error_says_nothing_twice_and_times_as_people_do() {
    let server = Server::ruled(|_| Answer::Reply(404, "<html>".to_owned())).await;
    let error = client(&server.url()).send_message(send("x")).await.unwrap_err();
    // Without the address, whose port may be of any digits.
    let text = error.to_string().replace(&server.url(), "");
    assert!(text.ends_with(r#": HTTP 404, and not in SQS's words: "<html>""#), "{text}");
    assert_eq!(text.matches("404").count(), 1, "{text}");
    assert_eq!((error.status(), error.code()), (Some(404), Some("UnreadableReply")));
    let late = ErrorKind::TimedOut(Duration::from_nanos(29_999_541_141));
    assert_eq!(late.to_string(), "no reply within 29.999s");
}
