use super::*;
use crate::sqs::service::now_ms;
use afterward_aws::{Incoming, sigv4::Verifier};

#[tokio::test]
async fn every_action_goes_out_under_its_name() {
    // What all results can be read from; actions without a result don't read it.
    let server = Server::ruled(|_| ok(r#"{"queueUrls":[]}"#)).await;
    let client = client(&server.url());
    let mut names = Vec::new();
    macro_rules! call {
        ($($method:ident $action:literal;)*) => {$(
            client.$method(Default::default()).await.unwrap();
            names.push(format!("AmazonSQS.{}", $action));
        )*};
    }
    call! {
        add_permission "AddPermission";
        cancel_message_move_task "CancelMessageMoveTask";
        change_message_visibility "ChangeMessageVisibility";
        change_message_visibility_batch "ChangeMessageVisibilityBatch";
        create_queue "CreateQueue";
        delete_message "DeleteMessage";
        delete_message_batch "DeleteMessageBatch";
        delete_queue "DeleteQueue";
        get_queue_attributes "GetQueueAttributes";
        get_queue_url "GetQueueUrl";
        list_dead_letter_source_queues "ListDeadLetterSourceQueues";
        list_message_move_tasks "ListMessageMoveTasks";
        list_queue_tags "ListQueueTags";
        list_queues "ListQueues";
        purge_queue "PurgeQueue";
        receive_message "ReceiveMessage";
        remove_permission "RemovePermission";
        send_message "SendMessage";
        send_message_batch "SendMessageBatch";
        set_queue_attributes "SetQueueAttributes";
        start_message_move_task "StartMessageMoveTask";
        tag_queue "TagQueue";
        untag_queue "UntagQueue";
    }
    assert_eq!(names.len(), 23);
    let targets: Vec<String> =
        server.asked().iter().map(|asked| asked.headers()["x-amz-target"].to_str().unwrap().to_owned()).collect();
    assert_eq!(targets, names);
}

#[tokio::test]
async fn a_call_is_json_and_its_answer_typed() {
    let server =
        Server::scripted([ok(r#"{"MessageId":"m1","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}"#)]).await;
    let sent = client(&server.url()).send_message(send("hello")).await.unwrap();
    assert_eq!(sent.message_id.as_deref(), Some("m1"));
    let asked = &server.asked()[0];
    assert_eq!((asked.method(), asked.uri().path()), (&Method::POST, "/"));
    assert_eq!(asked.headers()["content-type"], "application/x-amz-json-1.0");
    let body: serde_json::Value = serde_json::from_slice(asked.body()).unwrap();
    assert_eq!(body, serde_json::json!({"QueueUrl": "http://h/000000000000/q", "MessageBody": "hello"}));
}

#[tokio::test]
async fn each_call_is_signed_for_its_region() {
    let server = Server::scripted([ok("{}"), ok("{}")]).await;
    let client = client(&server.url());
    client.list_queues(ListQueuesRequest::default()).await.unwrap();
    client.get("/_afterward/queues/q%20x/messages?limit=10&text=a%2Bb").await.unwrap();
    let verifier = Verifier::new([Credential {
        access_key_id: "AKTEST".into(),
        secret_access_key: "secret".into(),
        session_token: None,
    }]);
    for asked in server.asked() {
        let incoming =
            Incoming { method: asked.method(), uri: asked.uri(), headers: asked.headers(), body: asked.body() };
        let caller = verifier.verify(&incoming, Some("sqs"), now_ms()).unwrap();
        assert_eq!(caller.access_key_id.as_deref(), Some("AKTEST"));
        assert_eq!(caller.region.as_deref(), Some("eu-central-1"));
    }
}

#[tokio::test]
async fn connections_are_kept_between_calls() {
    let server = Server::ruled(|_| ok("{}")).await;
    let client = client(&server.url());
    let mut ports = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let reply = client.get("/").await.unwrap();
        // hyper-util notes the connection on each reply.
        ports.extend(reply.extensions().get::<hyper_util::client::legacy::connect::HttpInfo>().map(|i| i.local_addr()));
    }
    assert_eq!(ports.len(), 1);
}
