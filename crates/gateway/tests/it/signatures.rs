//! With credentials configured, who does not sign gets nothing.

use crate::rig::{Reply, Rig, authorization, settings};
use afterward_aws::sigv4::{self, Signer};
use afterward_broker::{Clock, SystemClock};
use afterward_gateway::Credential;
use bytes::Bytes;
use http::{Method, Request, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ID: &str = "ADASKEY";
const SECRET: &str = "lovelace";

async fn rig(public: bool) -> Rig {
    let mut settings = settings();
    settings.jobs.public = public;
    settings.credentials = vec![Credential {
        access_key_id: ID.into(),
        secret_access_key: SECRET.into(),
        account: Some("123456789012".parse().unwrap()),
    }];
    Rig::with(settings).await
}

/// A request signed with that secret, for that service, at that time.
async fn signed(
    rig: &Rig,
    method: Method,
    path: &str,
    target: Option<&str>,
    body: &str,
    how: (&str, &str, u64),
) -> Reply {
    let (secret, service, now_ms) = how;
    let credential =
        sigv4::Credential { access_key_id: ID.into(), secret_access_key: secret.into(), session_token: None };
    let mut request = Request::builder().method(method.clone()).uri(path).header("host", rig.address.to_string());
    if let Some(target) = target {
        request = request.header("x-amz-target", format!("AmazonSQS.{target}"));
    }
    let mut request = request.body(Bytes::from(body.to_owned())).unwrap();
    let uri: Uri = format!("http://{}{path}", rig.address).parse().unwrap();
    Signer::new(credential, "eu-west-1", service).sign(&method, &uri, request.headers_mut(), body.as_bytes(), now_ms);
    rig.send(request).await
}

#[tokio::test]
async fn a_good_signature_names_account_and_region() {
    let rig = rig(false).await;
    let now = SystemClock.now_ms();
    let created =
        signed(&rig, Method::POST, "/", Some("CreateQueue"), r#"{"QueueName":"chores"}"#, (SECRET, "sqs", now)).await;
    assert_eq!(created.status, 200, "{}", created.body);
    assert_eq!(created.json()["QueueUrl"], format!("http://{}/123456789012/chores", rig.address));
    let peeked = signed(&rig, Method::GET, "/_afterward/queues/chores/messages", None, "", (SECRET, "sqs", now)).await;
    assert_eq!(peeked.status, 200, "{}", peeked.body);
    let elsewhere = signed(
        &rig,
        Method::GET,
        "/_afterward/queues/chores/messages?account=000000000000",
        None,
        "",
        (SECRET, "afterward", now),
    )
    .await;
    assert_eq!(elsewhere.status, 400, "{}", elsewhere.body);
}

#[tokio::test]
async fn a_bad_signature_or_none_is_refused_with_awss_code() {
    let rig = rig(false).await;
    let now = SystemClock.now_ms();
    let list = |how| signed(&rig, Method::POST, "/", Some("ListQueues"), "{}", how);
    for (reply, code) in [
        (list(("babbage", "sqs", now)).await, "InvalidSignatureException"),
        (list((SECRET, "s3", now)).await, "InvalidSignatureException"),
        (list((SECRET, "sqs", now - 3_600_000)).await, "InvalidSignatureException"),
        (rig.json("ListQueues", &serde_json::json!({})).await, "MissingAuthenticationToken"),
    ] {
        assert!((400..=403).contains(&reply.status), "{code}: {}", reply.status);
        assert!(reply.body.contains(code), "{code}: {}", reply.body);
    }
    let claimed = rig.json_request("ListQueues", &serde_json::Value::Null);
    let claimed = claimed.header("authorization", authorization("000000000000", "us-east-1"));
    assert!(
        (400..=403).contains(&rig.send(claimed.body("{}".into()).unwrap()).await.status),
        "saying so is not enough"
    );
    let identity = rig.query("/", "Action=GetCallerIdentity").await;
    assert_eq!(identity.status, 403, "{}", identity.body);
}

#[tokio::test]
async fn only_health_readiness_and_metrics_are_open() {
    let rig = rig(false).await;
    for (path, open) in [
        ("/_afterward/health", true),
        ("/_afterward/ready", true),
        ("/_afterward/metrics", true),
        ("/_afterward/queues/chores/messages", false),
        ("/jobs/00000000-0001-8000-8000-000000000000", false),
        ("/?Action=ListQueues", false),
    ] {
        let reply = rig.get(path).await;
        assert_eq!(reply.status == 200, open, "{path}: {} {}", reply.status, reply.body);
        if !open {
            assert_eq!(reply.status, 403, "{path}: {}", reply.body);
        }
    }
    assert_eq!(rig.post("/jobs", "{}").await.status, 403);
    let other_scheme = rig.request("POST", "/jobs").header("authorization", "Bearer x");
    let reply = rig.send(other_scheme.body("{}".into()).unwrap()).await;
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &"IncompleteSignature".into()), "{}", reply.body);
}

#[tokio::test]
async fn nobody_listens_to_a_large_body_whose_sender_cant_be_known() {
    let expect = |path: &str, more: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\n{more}expect: 100-continue\r\ncontent-length: 1000000\r\n\r\n")
    };
    let stranger = format!("authorization: {}\r\n", authorization("ASTRANGER", "us-east-1"));
    for (public, path, more, answer) in [
        (false, "/", "x-amz-target: AmazonSQS.SendMessage\r\n", "HTTP/1.1 403"),
        (false, "/", &*stranger, "HTTP/1.1 4"),
        (false, "/jobs", "", "HTTP/1.1 403"),
        (true, "/", "x-amz-target: AmazonSQS.SendMessage\r\n", "HTTP/1.1 403"),
        (true, "/jobs", "", "HTTP/1.1 100"),
    ] {
        let rig = rig(public).await;
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(expect(path, more).as_bytes()).await.unwrap();
        let mut buffer = [0; 1024];
        let length = stream.read(&mut buffer).await.unwrap();
        let reply = String::from_utf8_lossy(&buffer[..length]);
        assert!(reply.starts_with(answer), "{public} {path} {more}: {reply}");
    }
    let rig = rig(false).await;
    let unsigned =
        rig.json_request("SendMessage", &serde_json::Value::Null).body(vec![b' '; 1_000_000].into()).unwrap();
    let reply = rig.send(unsigned).await;
    assert!(reply.status == 403 && reply.body.contains("MissingAuthenticationToken"), "{}", reply.body);
    assert_ne!(reply.header("connection"), "close", "it was read to its end");
    let large = format!(r#"{{"QueueName":"chores"{}}}"#, " ".repeat(1_000_000));
    let now = SystemClock.now_ms();
    let created = signed(&rig, Method::POST, "/", Some("CreateQueue"), &large, (SECRET, "sqs", now)).await;
    assert_eq!(created.status, 200, "{}", created.body);
}

#[tokio::test]
async fn a_front_door_made_public_is_open_and_the_rest_is_not() {
    let rig = rig(true).await;
    let job = rig.post("/jobs", "{}").await;
    assert_eq!(job.status, 404, "there is no queue yet, but the door is open: {}", job.body);
    assert_eq!(rig.get("/?Action=ListQueues").await.status, 403);
}
