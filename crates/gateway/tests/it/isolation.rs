//! Accounts and regions don't see each other.

use crate::rig::{Reply, Rig, authorization};
use serde_json::{Value, json};

async fn call(rig: &Rig, key: &str, region: &str, action: &str, request: Value) -> Reply {
    let builder = rig.json_request(action, &request).header("authorization", authorization(key, region));
    rig.send(builder.body(request.to_string().into()).unwrap()).await
}

#[tokio::test]
async fn each_account_and_region_has_its_own_queues() {
    let rig = Rig::start().await;
    let places = [
        ("test", "us-east-1", "000000000000"),
        ("AKIAIOSFODNN7EXAMPLE", "eu-west-1", "000000000000"),
        ("123456789012", "us-east-1", "123456789012"),
        ("123456789012", "eu-west-1", "123456789012"),
    ];
    for (key, region, account) in places {
        let seen = call(&rig, key, region, "ListQueues", json!({})).await.json();
        assert_eq!(seen.get("QueueUrls").and_then(Value::as_array).map_or(0, Vec::len), 0, "{key} {region}");
        let created = call(&rig, key, region, "CreateQueue", json!({"QueueName": "chores"})).await.json();
        assert_eq!(created["QueueUrl"], format!("http://{}/{account}/chores", rig.address));
        let request = json!({"QueueUrl": created["QueueUrl"], "MessageBody": format!("of {account} in {region}")});
        assert_eq!(call(&rig, key, region, "SendMessage", request).await.status, 200);
        let request = json!({"QueueUrl": "chores", "AttributeNames": ["QueueArn"]});
        let arn = call(&rig, key, region, "GetQueueAttributes", request).await.json();
        assert_eq!(arn["Attributes"]["QueueArn"], format!("arn:aws:sqs:{region}:{account}:chores"));
    }
    for (key, region, account) in places {
        let request = json!({"QueueUrl": "chores", "MaxNumberOfMessages": 10, "AttributeNames": ["SenderId"]});
        let received = call(&rig, key, region, "ReceiveMessage", request).await.json();
        assert_eq!(received["Messages"].as_array().unwrap().len(), 1);
        assert_eq!(received["Messages"][0]["Body"], format!("of {account} in {region}"));
        assert_eq!(received["Messages"][0]["Attributes"]["SenderId"], key);
    }
}

#[tokio::test]
async fn somebody_elses_queue_is_not_there() {
    let rig = Rig::start().await;
    let theirs = call(&rig, "123456789012", "us-east-1", "CreateQueue", json!({"QueueName": "theirs"})).await.json();
    let url = theirs["QueueUrl"].as_str().unwrap();
    let arn = "arn:aws:sqs:us-east-1:123456789012:theirs";
    for (key, region, action, request) in [
        ("test", "us-east-1", "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})),
        ("123456789012", "eu-west-1", "SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})),
        (
            "123456789012",
            "us-east-1",
            "PurgeQueue",
            json!({"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/theirs"}),
        ),
        ("test", "us-east-1", "GetQueueUrl", json!({"QueueName": "theirs", "QueueOwnerAWSAccountId": "123456789012"})),
    ] {
        let reply = call(&rig, key, region, action, request).await;
        assert!(reply.body.contains("#QueueDoesNotExist"), "{action}: {}", reply.body);
    }
    for request in [json!({"SourceArn": arn})] {
        let reply = call(&rig, "test", "us-east-1", "ListMessageMoveTasks", request).await;
        assert!(reply.body.contains("ResourceNotFoundException"), "{}", reply.body);
    }
    let request = json!({"QueueName": "theirs", "QueueOwnerAWSAccountId": "123456789012"});
    assert_eq!(call(&rig, "123456789012", "us-east-1", "GetQueueUrl", request).await.status, 200);
    // Who does not say who they are is taken at the URL's word.
    rig.call("SendMessage", json!({"QueueUrl": url, "MessageBody": "x"})).await;
}

#[tokio::test]
async fn arns_and_handles_of_somebody_elses_open_nothing() {
    let rig = Rig::start().await;
    let (ours, theirs) = ("test", "123456789012");
    let region = "us-east-1";
    let dead = "arn:aws:sqs:us-east-1:123456789012:dead";
    let redrive = json!({"deadLetterTargetArn": dead, "maxReceiveCount": 1}).to_string();
    let with_redrive = json!({"QueueName": "chores", "Attributes": {"RedrivePolicy": redrive}});
    call(&rig, theirs, region, "CreateQueue", json!({"QueueName": "dead"})).await;
    assert_eq!(call(&rig, theirs, region, "CreateQueue", with_redrive.clone()).await.status, 200);
    for body in ["held", "held"] {
        let request = json!({"QueueUrl": "dead", "MessageBody": body});
        assert_eq!(call(&rig, theirs, region, "SendMessage", request).await.status, 200);
    }
    let request = json!({"SourceArn": dead, "MaxNumberOfMessagesPerSecond": 1});
    let started = call(&rig, theirs, region, "StartMessageMoveTask", request).await.json();
    let task = &started["TaskHandle"];
    let received = call(&rig, theirs, region, "ReceiveMessage", json!({"QueueUrl": "dead"})).await.json();
    let receipt = &received["Messages"][0]["ReceiptHandle"];
    let id = received["Messages"][0]["MessageId"].as_str().unwrap();

    call(&rig, ours, region, "CreateQueue", json!({"QueueName": "dead"})).await;
    let own_redrive = redrive.replace(theirs, "000000000000");
    let own = json!({"QueueName": "own", "Attributes": {"RedrivePolicy": own_redrive}});
    assert_eq!(call(&rig, ours, region, "CreateQueue", own).await.status, 200);
    let own_dead = dead.replace(theirs, "000000000000");
    for (action, request, code) in [
        ("CreateQueue", with_redrive, "InvalidParameterValue"),
        ("StartMessageMoveTask", json!({"SourceArn": dead}), "ResourceNotFound"),
        ("StartMessageMoveTask", json!({"SourceArn": own_dead, "DestinationArn": dead}), "ResourceNotFound"),
        ("CancelMessageMoveTask", json!({"TaskHandle": task}), "ResourceNotFound"),
        ("DeleteMessage", json!({"QueueUrl": "dead", "ReceiptHandle": receipt}), "ReceiptHandleIsInvalid"),
        (
            "ChangeMessageVisibility",
            json!({"QueueUrl": "dead", "ReceiptHandle": receipt, "VisibilityTimeout": 0}),
            "ReceiptHandleIsInvalid",
        ),
    ] {
        let reply = call(&rig, ours, region, action, request).await;
        assert!(reply.status >= 400 && reply.body.contains(code), "{action}: {} {}", reply.status, reply.body);
    }
    let sources = call(&rig, ours, region, "ListDeadLetterSourceQueues", json!({"QueueUrl": "dead"})).await.json();
    assert_eq!(sources["queueUrls"], json!([format!("http://{}/000000000000/own", rig.address)]));
    assert_eq!(rig.get(&format!("/jobs/{id}")).await.status, 404, "a message is no job");
}

/// The bug: what somebody else's message was, `/jobs` did not tell while it was there, but it did once it was deleted.
#[tokio::test]
async fn the_front_door_tells_nothing_of_somebody_elses_jobs_neither_before_nor_after_their_end() {
    let rig = Rig::start().await;
    for (key, region, status) in
        [("123456789012", "us-east-1", None), ("test", "eu-west-1", None), ("test", "us-east-1", Some("succeeded"))]
    {
        call(&rig, key, region, "CreateQueue", json!({"QueueName": "jobs"})).await;
        let message = json!({"QueueUrl": "jobs", "MessageBody": "x"});
        let sent = rig
            .json_request("SendMessage", &message)
            .header("authorization", authorization(key, region))
            .header("x-afterward-job", "true");
        let sent = rig.send(sent.body(message.to_string().into()).unwrap()).await.json();
        let path = format!("/jobs/{}", sent["MessageId"].as_str().unwrap());
        assert_eq!(rig.get(&path).await.status, if status.is_some() { 200 } else { 404 });
        let received = call(&rig, key, region, "ReceiveMessage", json!({"QueueUrl": "jobs"})).await.json();
        let request = json!({"QueueUrl": "jobs", "ReceiptHandle": received["Messages"][0]["ReceiptHandle"]});
        assert_eq!(call(&rig, key, region, "DeleteMessage", request).await.status, 200);
        // Nor when their queue is gone.
        for _ in 0..2 {
            let told = rig.get(&path).await;
            let told = (told.status == 200).then(|| (told.json()["status"].clone(), told.json()["queue"].clone()));
            assert_eq!(told, status.map(|status| (json!(status), json!("jobs"))), "{key} {region}");
            call(&rig, key, region, "DeleteQueue", json!({"QueueUrl": "jobs"})).await;
        }
    }
}

#[tokio::test]
async fn queue_urls_name_the_server_as_the_client_does() {
    let rig = Rig::start().await;
    rig.standard("chores").await;
    let body = json!({"QueueName": "chores"});
    for (host, proto, url) in [
        ("queues.example:8080", None, "http://queues.example:8080/000000000000/chores"),
        ("queues.example", Some("https"), "https://queues.example/000000000000/chores"),
    ] {
        let mut request = http::Request::post("/").header("host", host).header("x-amz-target", "AmazonSQS.GetQueueUrl");
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let reply = rig.send(request.body(body.to_string().into()).unwrap()).await;
        assert_eq!(reply.json()["QueueUrl"], url);
    }
}
