use super::*;
use bytes::Bytes;
use http::header;

fn headers(idempotency_key: Option<&'static str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = idempotency_key {
        headers.insert("idempotency-key", HeaderValue::from_static(key));
    }
    headers
}

#[tokio::test]
async fn a_job_is_posted_as_it_is() {
    let server = Server::scripted([Answer::Reply(202, r#"{"id":"j1"}"#.into())]).await;
    let reply =
        client(&server.url()).post("/jobs?delay_seconds=3", headers(Some("k")), r#"{"task":"x"}"#).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.body().as_ref()), (202, &br#"{"id":"j1"}"#[..]));
    let asked = &server.asked()[0];
    assert_eq!(asked.uri(), "/jobs?delay_seconds=3");
    assert_eq!(
        (&asked.headers()["content-type"], &asked.headers()["idempotency-key"]),
        (&"application/json".parse().unwrap(), &"k".parse().unwrap())
    );
    assert_eq!(asked.body(), &Bytes::from_static(br#"{"task":"x"}"#));
    assert!(!asked.headers().contains_key("x-amz-target"));
}

#[tokio::test]
async fn a_post_is_repeated_only_where_that_cannot_do_it_twice() {
    for (trouble, key, attempts) in [
        (Answer::HangUp, None, 1),
        (Answer::Reply(500, String::new()), None, 1),
        (Answer::Reply(503, String::new()), None, 3),
        (Answer::Reply(429, String::new()), None, 3),
        (Answer::HangUp, Some("k"), 3),
        (Answer::Reply(500, String::new()), Some("k"), 3),
        (Answer::Reply(400, String::new()), Some("k"), 1),
    ] {
        let server = Server::ruled(move |_| trouble.clone()).await;
        let error = client(&server.url()).post("/jobs", headers(key), "{}").await.unwrap_err();
        assert_eq!((error.attempts(), server.asked().len()), (attempts, attempts as usize), "{error} {key:?}");
    }
}

#[tokio::test]
async fn the_servers_own_errors_are_read() {
    let body = r#"{"error":{"code":"NoSuchQueue","message":"there is no queue `x`"}}"#;
    for (reply, code, message) in [
        (Answer::Reply(404, body.into()), "NoSuchQueue", "there is no queue `x`"),
        (Answer::Reply(404, " nothing here\n".into()), "Not Found", "nothing here"),
    ] {
        let server = Server::scripted([reply]).await;
        let error = client(&server.url()).get("/_afterward/queues/x/messages?limit=1").await.unwrap_err();
        assert_eq!((error.status(), error.code(), error.message()), (Some(404), Some(code), Some(message)));
        assert_eq!(error.action(), "GET /_afterward/queues/x/messages");
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_refused_before_it_is_sent() {
    let server = Server::scripted([]).await;
    let error = client(&server.url()).get("/a b").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BadRequest(_)), "{error:?}");
    assert!(server.asked().is_empty());
}
