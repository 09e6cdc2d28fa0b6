//! What a page in a browser can do to a server without credentials on the machine of whoever looks at the page.

use crate::rig::{Reply, Rig, settings};
use afterward_gateway::Credential;
use serde_json::json;

const PURGE: &str = "/?Action=PurgeQueue&QueueUrl=chores";
const FORM: &str = "application/x-www-form-urlencoded";
const EVIL: &[(&str, &str)] = &[("origin", "https://evil.example")];

/// A request with these headers; one named `host` stands for the server's own.
async fn ask(rig: &Rig, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = http::Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", rig.address.to_string());
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    rig.send(request.body(body.to_owned().into()).unwrap()).await
}

async fn with_message() -> (Rig, String) {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    rig.standard("jobs").await;
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "precious"})).await;
    (rig, url)
}

#[tokio::test]
async fn a_page_of_another_site_can_do_nothing() {
    let (rig, url) = with_message().await;
    let form = "Action=PurgeQueue&QueueUrl=chores";
    for (method, path, headers, body) in [
        // A form that sends itself, and one that hides where it comes from.
        ("POST", "/", &[("origin", "https://evil.example"), ("content-type", FORM)][..], form),
        ("POST", "/", &[("origin", "null"), ("content-type", FORM)], form),
        // An image.
        ("GET", PURGE, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], ""),
        // A page of another server on this machine.
        ("GET", PURGE, &[("sec-fetch-site", "same-site")], ""),
        // A browser's own question whether the page may ask.
        ("OPTIONS", PURGE, EVIL, ""),
        ("GET", "/?Action=GetCallerIdentity", EVIL, ""),
        ("POST", "/jobs", &[("origin", "https://evil.example"), ("content-type", "text/plain")], "{}"),
        ("GET", "/jobs/00000000-0001-8000-8000-000000000000", EVIL, ""),
        ("GET", "/_afterward/queues/chores/messages", EVIL, ""),
        // A page whose name was made to point here.
        ("POST", PURGE, &[("host", "evil.example:4566"), ("origin", "http://evil.example:4566")], ""),
        ("GET", "/?Action=ReceiveMessage&QueueUrl=chores", &[("host", "evil.example:4566")], ""),
        ("GET", "/_afterward/queues/chores/messages", &[("host", "evil.example:4566")], ""),
    ] {
        let reply = ask(&rig, method, path, headers, body).await;
        assert_eq!(reply.status, 403, "{method} {path} {headers:?}: {}", reply.body);
        assert!(reply.body.contains("AccessDenied"), "{}", reply.body);
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
    let json = rig.json_request("PurgeQueue", &json!({})).header("origin", "https://evil.example");
    let reply = rig.send(json.body(r#"{"QueueUrl":"chores"}"#.into()).unwrap()).await;
    assert!(reply.status == 403 && reply.body.contains("AccessDeniedException"), "{}", reply.body);
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "1");
    let jobs = rig.attribute("jobs", "ApproximateNumberOfMessages").await;
    assert_eq!(jobs, "0");
}

#[tokio::test]
async fn programs_and_the_users_own_pages_are_answered_by_whatever_name_they_call() {
    let (rig, _) = with_message().await;
    let (get, peek) = ("/?Action=ListQueues", "/_afterward/queues/chores/messages");
    for (method, path, headers) in [
        ("GET", get, &[][..]),
        ("GET", get, &[("host", "localhost:4566")]),
        ("GET", peek, &[("host", "host.docker.internal:4566")]),
        ("GET", get, &[("host", "sqs.eu-west-1.localhost:4566")]),
        ("POST", get, &[("host", "queues.example")]),
        // Typed into a browser.
        ("GET", peek, &[("sec-fetch-site", "none")]),
        // A page that has this server behind its own, through a proxy that says who asks or leaves the name.
        ("POST", get, &[("origin", "http://localhost:5173"), ("sec-fetch-site", "same-origin")]),
        ("POST", get, &[("origin", "http://localhost:5173"), ("host", "localhost:5173")]),
        ("GET", "/_afterward/metrics", EVIL),
        ("GET", "/_afterward/health", &[("host", "evil.example")]),
        ("GET", "/", EVIL),
    ] {
        let reply = ask(&rig, method, path, headers, "").await;
        assert_eq!(reply.status, 200, "{method} {path} {headers:?}: {}", reply.body);
    }
}

#[tokio::test]
async fn an_origin_that_may_call_the_front_door_may_call_nothing_else() {
    for listed in ["https://app.example", "*"] {
        let mut settings = settings();
        settings.jobs.cors_origins = vec![listed.into()];
        let rig = Rig::with(settings).await;
        rig.standard("jobs").await;
        let page = &[("origin", "https://app.example"), ("sec-fetch-site", "cross-site")][..];
        assert_eq!(ask(&rig, "POST", "/jobs", page, "{}").await.status, 202, "{listed}");
        assert_eq!(ask(&rig, "POST", "/?Action=ListQueues", page, "").await.status, 403, "{listed}");
        assert_eq!(ask(&rig, "GET", "/_afterward/queues/jobs/messages", page, "").await.status, 403, "{listed}");
    }
}

#[tokio::test]
async fn with_credentials_the_signature_decides() {
    let mut settings = settings();
    settings.jobs.public = true;
    let (access_key_id, secret_access_key) = ("ADASKEY".into(), "lovelace".into());
    settings.credentials = vec![Credential { access_key_id, secret_access_key, account: None }];
    let rig = Rig::with(settings).await;
    let reply = ask(&rig, "POST", PURGE, EVIL, "").await;
    assert!(reply.body.contains("MissingAuthenticationToken"), "{}", reply.body);
    assert_eq!(ask(&rig, "POST", "/jobs", EVIL, "{}").await.status, 404, "open to all, though the queue is missing");
}
