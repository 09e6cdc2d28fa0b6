//! Amazon's SDK for Rust against the server at `AFTERWARD_WIRE_URL`.

use aws_sdk_sqs::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
        MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

fn client() -> Client {
    let url = std::env::var("AFTERWARD_WIRE_URL").expect("AFTERWARD_WIRE_URL: run by `cargo xtask wire sdk`");
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("afterward", "afterward", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn fresh_name(end: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("rust-{}-{}{end}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

async fn queue(sqs: &Client, attributes: &[(QueueAttributeName, &str)]) -> String {
    let fifo = attributes.iter().any(|(name, _)| *name == QueueAttributeName::FifoQueue);
    let mut create = sqs.create_queue().queue_name(fresh_name(if fifo { ".fifo" } else { "" }));
    for (name, value) in attributes {
        create = create.attributes(name.clone(), *value);
    }
    create.send().await.expect("a queue").queue_url.expect("its URL")
}

async fn receive(sqs: &Client, url: &str) -> Vec<Message> {
    let request = sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .wait_time_seconds(5)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All");
    request.send().await.expect("a receive").messages.unwrap_or_default()
}

async fn attributes(sqs: &Client, url: &str) -> HashMap<QueueAttributeName, String> {
    let request = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    request.send().await.expect("attributes").attributes.unwrap_or_default()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().filter_map(Message::body).collect()
}

#[tokio::test]
async fn a_message_with_attributes_is_sent_received_extended_and_deleted() {
    let sqs = client();
    let url = queue(&sqs, &[]).await;
    let value = |kind: &str| MessageAttributeValue::builder().data_type(kind);
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("hällo ☃ <&>")
        .message_attributes("text", value("String").string_value("v").build().unwrap())
        .message_attributes("bytes", value("Binary").binary_value(Blob::new([0, 255, 16])).build().unwrap())
        .send()
        .await
        .unwrap();
    let messages = receive(&sqs, &url).await;
    let [message] = messages.as_slice() else { panic!("one message: {messages:?}") };
    assert_eq!(message.body(), Some("hällo ☃ <&>"));
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let bytes = message.message_attributes().unwrap()["bytes"].binary_value().unwrap();
    assert_eq!(bytes.as_ref(), [0, 255, 16]);
    let count = &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount];
    assert_eq!(count, "1");
    let handle = message.receipt_handle().unwrap();
    let extend = sqs.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(600);
    extend.send().await.unwrap();
    sqs.delete_message().queue_url(&url).receipt_handle(handle).send().await.unwrap();
    assert_eq!(attributes(&sqs, &url).await[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "0");
}

#[tokio::test]
async fn batches_have_an_outcome_per_entry() {
    let sqs = client();
    let url = queue(&sqs, &[(QueueAttributeName::VisibilityTimeout, "600")]).await;
    let mut batch = sqs.send_message_batch().queue_url(&url);
    for i in 0..9 {
        let entry = SendMessageBatchRequestEntry::builder().id(format!("e{i}")).message_body(format!("body {i}"));
        batch = batch.entries(entry.build().unwrap());
    }
    let late = SendMessageBatchRequestEntry::builder().id("late").message_body("late").delay_seconds(901);
    let sent = batch.entries(late.build().unwrap()).send().await.unwrap();
    assert_eq!(sent.successful().len(), 9);
    let failed: Vec<(&str, &str)> = sent.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, [("late", "InvalidParameterValue")]);

    let mut messages = Vec::new();
    while messages.len() < 9 {
        messages.extend(receive(&sqs, &url).await);
    }
    let mut change = sqs.change_message_visibility_batch().queue_url(&url);
    let mut delete = sqs.delete_message_batch().queue_url(&url);
    for (i, message) in messages.iter().enumerate() {
        let (id, handle) = (format!("{i}"), message.receipt_handle().unwrap());
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(&id).receipt_handle(handle);
        change = change.entries(entry.visibility_timeout(500).build().unwrap());
        delete =
            delete.entries(DeleteMessageBatchRequestEntry::builder().id(&id).receipt_handle(handle).build().unwrap());
    }
    assert_eq!(change.send().await.unwrap().successful().len(), 9);
    assert_eq!(delete.send().await.unwrap().successful().len(), 9);
}

#[tokio::test]
async fn a_fifo_queue_keeps_order_and_drops_duplicates() {
    let sqs = client();
    let fifo = [(QueueAttributeName::FifoQueue, "true"), (QueueAttributeName::ContentBasedDeduplication, "true")];
    let url = queue(&sqs, &fifo).await;
    let mut numbers = Vec::new();
    for body in ["1", "2", "2", "3"] {
        let sent = sqs.send_message().queue_url(&url).message_body(body).message_group_id("g").send().await.unwrap();
        numbers.push(sent.sequence_number().unwrap().parse::<u128>().unwrap());
    }
    assert!(numbers.is_sorted());
    assert_eq!(numbers[1], numbers[2]);
    assert_eq!(bodies(&receive(&sqs, &url).await), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_failing_message_is_dead_lettered_and_redriven() {
    let sqs = client();
    let dead = queue(&sqs, &[]).await;
    let dead_arn = attributes(&sqs, &dead).await[&QueueAttributeName::QueueArn].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{dead_arn}","maxReceiveCount":1}}"#);
    let redrive =
        [(QueueAttributeName::RedrivePolicy, policy.as_str()), (QueueAttributeName::VisibilityTimeout, "600")];
    let url = queue(&sqs, &redrive).await;
    sqs.send_message().queue_url(&url).message_body("bad").send().await.unwrap();
    let messages = receive(&sqs, &url).await;
    let handle = messages[0].receipt_handle().unwrap();
    let give_back = sqs.change_message_visibility().queue_url(&url).receipt_handle(handle).visibility_timeout(0);
    give_back.send().await.unwrap();
    // The next receive finds it received too often.
    sqs.receive_message().queue_url(&url).send().await.unwrap();
    assert_eq!(attributes(&sqs, &dead).await[&QueueAttributeName::ApproximateNumberOfMessages], "1");

    sqs.start_message_move_task().source_arn(&dead_arn).send().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let tasks = sqs.list_message_move_tasks().source_arn(&dead_arn).send().await.unwrap();
        let task = &tasks.results()[0];
        if task.status() == Some("COMPLETED") {
            assert_eq!(task.approximate_number_of_messages_moved(), 1);
            break;
        }
        assert!(Instant::now() < deadline, "the move task is {:?}", task.status());
        tokio::time::sleep(Duration::from_millis(20)).await; // between two looks at a condition
    }
    assert_eq!(bodies(&receive(&sqs, &url).await), ["bad"]);
}

#[tokio::test]
async fn queues_are_listed_a_page_at_a_time_tagged_and_deleted() {
    let sqs = client();
    let prefix = fresh_name("");
    let mut made = Vec::new();
    for i in 0..3 {
        let create = sqs.create_queue().queue_name(format!("{prefix}-{i}")).tags("team", "blue");
        made.push(create.send().await.unwrap().queue_url.unwrap());
    }
    let mut pages = sqs.list_queues().queue_name_prefix(&prefix).into_paginator().page_size(2).items().send();
    let mut found = Vec::new();
    while let Some(url) = pages.try_next().await.unwrap() {
        found.push(url);
    }
    assert_eq!(found, made);
    let tags = sqs.list_queue_tags().queue_url(&made[0]).send().await.unwrap();
    assert_eq!(tags.tags().unwrap()["team"], "blue");
    sqs.delete_queue().queue_url(&made[0]).send().await.unwrap();
    let gone = sqs.get_queue_url().queue_name(format!("{prefix}-0")).send().await.unwrap_err();
    assert!(gone.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn errors_are_the_models_own() {
    let sqs = client();
    let url = queue(&sqs, &[]).await;
    let name = url.rsplit('/').next().unwrap();
    let other = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::DelaySeconds, "7");
    assert!(other.send().await.unwrap_err().into_service_error().is_queue_name_exists());
    let delete = sqs.delete_message().queue_url(&url).receipt_handle("nonsense").send().await.unwrap_err();
    assert!(delete.into_service_error().is_receipt_handle_is_invalid());
    let send = sqs.send_message().queue_url(&url).message_body("x").delay_seconds(901).send().await.unwrap_err();
    let error = send.into_service_error();
    assert!(error.code().unwrap_or_default().starts_with("InvalidParameterValue"), "{:?}", error.code());
    let empty = sqs.send_message_batch().queue_url(&url).set_entries(Some(vec![])).send().await.unwrap_err();
    assert!(empty.into_service_error().is_empty_batch_request());
}
