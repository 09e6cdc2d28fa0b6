//! `/jobs`: taken in at once, told of through a whole life.

use crate::rig::{Rig, authorization, settings};
use serde_json::json;

/// A queue for jobs with two receives, and the URL of its dead-letter queue.
async fn with_queue(rig: &Rig) -> (String, String) {
    let dead = rig.standard("jobs-dlq").await;
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:jobs-dlq","maxReceiveCount":2}"#;
    (rig.queue("jobs", json!({"RedrivePolicy": redrive, "VisibilityTimeout": "10"})).await, dead)
}

#[tokio::test]
async fn a_job_is_told_of_through_its_life_to_success() {
    let rig = Rig::start().await;
    let (url, _) = with_queue(&rig).await;
    let body = r#"{ "task":"resize",  "n":1.50 }"#;
    let reply = rig.post("/jobs?delay_seconds=5", body).await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let job = reply.json();
    let id = job["id"].as_str().unwrap();
    assert_eq!(job["queue"], "jobs");
    assert_eq!(job["status_url"], format!("http://{}/jobs/{id}", rig.address));
    assert_eq!(reply.header("location"), format!("/jobs/{id}"));
    assert_eq!(job.get("duplicate"), None);
    let now = rig.status(&job).await;
    assert_eq!(
        now,
        json!({"id": id, "queue": "jobs", "status": "delayed", "attempts": 0, "last_error": null,
            "enqueued_at": "2023-11-14T22:13:20.000Z", "due_at": "2023-11-14T22:13:25.000Z"})
    );
    rig.pass(5);
    assert_eq!(rig.status(&job).await["status"], "waiting");
    let message = rig.receive(&url).await.remove(0);
    assert_eq!(message["Body"], body, "byte for byte");
    assert_eq!(rig.status(&job).await["status"], "active");
    rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
    let ended = rig.status(&job).await;
    assert_eq!((&ended["status"], &ended["attempts"]), (&json!("succeeded"), &json!(1)));
    assert_eq!(ended["finished_at"], "2023-11-14T22:13:25.000Z");
    rig.pass(3601);
    assert_eq!(rig.get(&format!("/jobs/{id}")).await.status, 404, "an hour later it is forgotten");
}

#[tokio::test]
async fn a_message_is_told_of_while_it_is_there_and_one_that_was_sent_as_a_job_after_its_end() {
    let rig = Rig::start().await;
    let (url, other) = (rig.standard("mail").await, rig.fifo("mail.fifo").await);
    for (url, headers, after) in [
        (&url, &[][..], None),
        (&url, &[("x-afterward-job", "true")], Some("succeeded")),
        (&other, &[("x-afterward-job", "true")], Some("succeeded")),
    ] {
        let one = rig.send_message(url, "one", headers).await.json()["MessageId"].clone();
        let mut entry = json!({"Id": "0", "MessageBody": "two"});
        if url.ends_with(".fifo") {
            entry["MessageGroupId"] = "g".into();
            entry["MessageDeduplicationId"] = "two".into();
        }
        let batch = json!({"QueueUrl": url, "Entries": [entry]});
        let two = rig.json_with("SendMessageBatch", &batch, headers).await.json()["Successful"][0]["MessageId"].clone();
        let path = |id: &serde_json::Value| format!("/jobs/{}", id.as_str().unwrap());
        for id in [&one, &two] {
            let told = rig.get(&path(id)).await.json();
            assert_eq!((&told["status"], &told["attempts"]), (&json!("waiting"), &json!(0)), "{told}");
        }
        for message in rig.receive(url).await {
            assert_eq!(rig.get(&path(&message["MessageId"])).await.json()["status"], "active");
            rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
        }
        for id in [&one, &two] {
            let reply = rig.get(&path(id)).await;
            let told = (reply.status == 200).then(|| reply.json()["status"].clone());
            assert_eq!(told, after.map(|status| json!(status)), "{}", reply.body);
        }
    }
    let wrong = rig.send_message(&url, "one", &[("x-afterward-job", "perhaps")]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);
}

/// As the Rust library's are that are delayed for longer than a queue can keep them.
#[tokio::test]
async fn a_job_that_waits_as_a_schedule_is_told_of_until_it_is_due() {
    let rig = Rig::that_runs_schedules().await;
    let url = rig.standard("mail").await;
    let id = "0190a8c00f0e0d0c0b0a090807060504";
    let path = format!("/jobs/{id}");
    let schedule = |arn: &str| {
        json!({
            "ScheduleExpression": "at(2023-11-16T22:13:20)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": arn,
                "RoleArn": "arn:aws:iam::000000000000:role/any",
                "Input": json!({"QueueUrl": url, "MessageBody": "later"}).to_string(),
                "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:jobs-dlq"},
            },
        })
    };
    let name = format!("/schedules/afterward-{id}");
    let guessed = rig.request("POST", "/schedules/afterward-nightly");
    let made = guessed.body(schedule("arn:aws:scheduler:::aws-sdk:sqs:sendMessage").to_string().into()).unwrap();
    assert_eq!(rig.send(made).await.status, 200);
    assert_eq!(rig.get("/jobs/nightly").await.status, 404);
    for (arn, region, status) in [
        ("https://example.com/", "us-east-1", 404),
        ("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "eu-west-1", 404),
        ("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "us-east-1", 200),
    ] {
        let signed = |method: &str| rig.request(method, &name).header("authorization", authorization("test", region));
        let made = rig.send(signed("POST").body(schedule(arn).to_string().into()).unwrap()).await;
        assert_eq!(made.status, 200, "{arn} {region}: {}", made.body);
        assert_eq!(rig.get(&path).await.status, status, "{arn} {region}");
        if status == 404 {
            rig.send(signed("DELETE").body(Default::default()).unwrap()).await;
        }
    }
    assert_eq!(
        rig.get(&path).await.json(),
        json!({"id": id, "queue": "mail", "status": "delayed", "attempts": 0, "last_error": null,
            "enqueued_at": "2023-11-14T22:13:20.000Z", "due_at": "2023-11-16T22:13:20.000Z"})
    );
    rig.pass(2 * 86_400);
    crate::rig::until("the message is sent", || async { rig.get(&path).await.status == 404 }).await;
    // From now on it has an id of its own.
    let told = rig.get(&path).await.body;
    assert!(told.contains("an id of its own"), "{told}");
    let message = rig.receive(&url).await.remove(0);
    let own = format!("/jobs/{}", message["MessageId"].as_str().unwrap());
    assert_eq!(rig.get(&own).await.json()["status"], "active");
}

#[tokio::test]
async fn a_job_that_keeps_failing_is_dead_with_its_last_error_until_it_is_redriven() {
    let rig = Rig::start().await;
    let (url, dead) = with_queue(&rig).await;
    let job = rig.post("/jobs", r#"{"task":"broken","fail":true}"#).await.json();
    for attempt in 1..=2 {
        let message = rig.receive(&url).await.remove(0);
        let error = format!("attempt%20{attempt}%3A%20na%C3%AFve");
        let given_back = rig.change(&url, &message, 0, &[("x-afterward-error", &error)]).await;
        assert_eq!(given_back.status, 200);
        let now = rig.status(&job).await;
        assert_eq!(now["status"], "waiting");
        assert_eq!(now["last_error"], format!("attempt {attempt}: naïve"));
    }
    assert!(rig.receive(&url).await.is_empty());
    let now = rig.status(&job).await;
    assert_eq!(now["status"], "dead");
    assert_eq!(now["queue"], "jobs");
    assert_eq!(now["dead_letter_queue"], "jobs-dlq");
    assert_eq!(now["last_error"], "attempt 2: naïve");
    let look = rig.receive(&dead).await.remove(0);
    let put_back = json!({"QueueUrl": dead, "ReceiptHandle": look["ReceiptHandle"], "VisibilityTimeout": 0});
    rig.call("ChangeMessageVisibility", put_back).await;
    assert_eq!(rig.status(&job).await["attempts"], 2, "looking into the dead-letter queue attempts nothing");

    let arn = rig.attribute(&dead, "QueueArn").await;
    rig.call("StartMessageMoveTask", json!({"SourceArn": arn})).await;
    crate::rig::until("the job is back", || async {
        rig.pass(1);
        rig.status(&job).await["status"] == "waiting"
    })
    .await;
    let again = rig.receive(&url).await.remove(0);
    assert_ne!(again["MessageId"], job["id"], "a redriven message has a new id");
    rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": again["ReceiptHandle"]})).await;
    assert_eq!(rig.status(&job).await["status"], "succeeded", "and the job is found by its first one");
}

#[tokio::test]
async fn a_job_that_is_deleted_undone_is_dropped_and_says_why() {
    let rig = Rig::start().await;
    let (url, _) = with_queue(&rig).await;
    // What a delete says, and what is told then.
    for (headers, status, why) in [
        (
            &[("x-afterward-error", "nobody%20needs%20it%20na%C3%AFvely")][..],
            "dropped",
            json!("nobody needs it naïvely"),
        ),
        (&[("x-afterward-error", "")], "dropped", json!("")),
        (&[("x-afterward-progress", "0.5 half"), ("x-afterward-unbegun", "true")], "succeeded", json!(null)),
    ] {
        let job = rig.post("/jobs", r#"{"task":"any"}"#).await.json();
        let message = rig.receive(&url).await.remove(0);
        let delete = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
        for _ in 0..2 {
            let reply = rig.json_with("DeleteMessage", &delete, headers).await;
            assert_eq!(reply.status, 200, "deleting twice succeeds: {}", reply.body);
        }
        let told = rig.status(&job).await;
        assert_eq!((&told["status"], &told["last_error"]), (&json!(status), &why), "{told}");
        assert_eq!((&told["attempts"], &told["finished_at"]), (&json!(1), &json!("2023-11-14T22:13:20.000Z")));
        assert_eq!(rig.get("/_afterward/queues/jobs/messages").await.json()["messages"], json!([]));
    }
    let other = rig.standard("other").await;
    rig.post("/jobs", "{}").await;
    let message = rig.receive(&url).await.remove(0);
    let astray = json!({"QueueUrl": other, "ReceiptHandle": message["ReceiptHandle"]});
    let refused = rig.json_with("DeleteMessage", &astray, &[("x-afterward-error", "no")]).await;
    assert!(refused.status != 200 && refused.body.contains("ReceiptHandleIsInvalid"), "{}", refused.body);
}

#[tokio::test]
async fn an_idempotency_key_is_remembered_for_a_day() {
    let rig = Rig::start().await;
    with_queue(&rig).await;
    let post = |body: &'static str| {
        let request = rig.request("POST", "/jobs").header("idempotency-key", "order-7");
        rig.send(request.body(body.into()).unwrap())
    };
    let first = post(r#"{"a":1}"#).await.json();
    let again = post(r#"{"a":1}"#).await;
    assert_eq!((again.status, &again.json()["duplicate"]), (202, &json!(true)));
    assert_eq!(again.json()["id"], first["id"]);
    let other = post(r#"{"a":2}"#).await;
    assert_eq!((other.status, &other.json()["error"]["code"]), (422, &json!("IdempotencyKeyReused")));
    rig.pass(86_401);
    let later = post(r#"{"a":1}"#).await.json();
    assert_ne!(later["id"], first["id"]);
    assert_eq!(later.get("duplicate"), None);
}

#[tokio::test]
async fn what_is_no_job_is_refused_with_the_place() {
    let rig = Rig::start().await;
    let missing = rig.post("/jobs", "{}").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("afterward queue create jobs"), "{}", missing.body);
    with_queue(&rig).await;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(1_048_576));
    for (path, body, status, says) in [
        ("/jobs", "{\"a\":1,\n  b}", 400, "line 2 column 3"),
        ("/jobs", "[1]", 400, "a job is a JSON object"),
        ("/jobs", "", 400, "empty"),
        ("/jobs", large.as_str(), 413, "at most 1048576 bytes"),
        ("/jobs?delay_seconds=345600", "{}", 400, "must be less than 345600"),
        ("/jobs?delay_seconds=1209600", "{}", 400, "a whole number of seconds"),
        ("/jobs?delay_seconds=x", "{}", 400, "a whole number of seconds"),
        ("/jobs?delay=5", "{}", 400, "no parameter `delay`"),
        ("/jobs?delay_seconds=1&delay_seconds=2", "{}", 400, "`delay_seconds` is given more than once"),
        ("/jobs/x", "{}", 405, "GET it"),
    ] {
        let reply = rig.post(path, body.to_owned()).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains(says), "{path}: {}", reply.body);
    }
    for (method, path, allowed) in [("GET", "/jobs", "POST, OPTIONS"), ("DELETE", "/jobs/x", "GET, HEAD, OPTIONS")] {
        let reply = rig.send(rig.request(method, path).body(Default::default()).unwrap()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, allowed), "{method} {path}");
    }
    assert_eq!(rig.get("/jobs/nonsense").await.status, 404);
    assert_eq!(rig.get("/jobs/00000000-0001-8000-8000-000000000000").await.status, 404);
}

#[tokio::test]
async fn pages_of_configured_origins_may_call() {
    let mut settings = settings();
    settings.jobs.cors_origins = vec!["https://app.example".into()];
    let rig = Rig::with(settings).await;
    with_queue(&rig).await;
    for (origin, allowed, status) in
        [("https://app.example", "https://app.example", 202), ("https://evil.example", "", 403)]
    {
        let ask = rig.request("OPTIONS", "/jobs").header("origin", origin);
        let ask =
            rig.send(ask.header("access-control-request-method", "POST").body(bytes::Bytes::new()).unwrap()).await;
        assert_eq!((ask.status, ask.header("access-control-allow-origin")), (204, allowed), "{origin}");
        let post = rig.request("POST", "/jobs").header("origin", origin).body("{}".into()).unwrap();
        let post = rig.send(post).await;
        assert_eq!((post.status, post.header("access-control-allow-origin")), (status, allowed), "{origin}");
    }
}

#[tokio::test]
async fn the_configured_delay_holds_unless_the_request_says() {
    let mut settings = settings();
    settings.jobs.delay_ms = Some(5000);
    let rig = Rig::with(settings).await;
    with_queue(&rig).await;
    let by_default = rig.post("/jobs", "{}").await.json();
    assert_eq!(rig.status(&by_default).await["status"], "delayed");
    let at_once = rig.post("/jobs?delay_seconds=0", "{}").await.json();
    assert_eq!(rig.status(&at_once).await["status"], "waiting");
    // Longer than SQS knows: all but as long as the queue keeps it.
    let long = rig.post("/jobs?delay_seconds=345599", "{}").await.json();
    assert_eq!(rig.status(&long).await["status"], "delayed");
}

#[tokio::test]
async fn a_configured_delay_that_the_queue_cannot_keep_is_told_by_its_name() {
    let mut settings = settings();
    settings.jobs.delay_ms = Some(1_209_599_000);
    let rig = Rig::with(settings).await;
    let url = rig.standard("jobs").await;
    let refused = rig.post("/jobs", "{}").await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("jobs.delay_seconds"), "{}", refused.body);
    let longest = json!({"QueueUrl": url, "Attributes": {"MessageRetentionPeriod": "1209600"}});
    rig.call("SetQueueAttributes", longest).await;
    assert_eq!(rig.post("/jobs", "{}").await.status, 202);
}
