//! The story against an Afterward server in this very process, and what only such a server does.

use crate::{
    limited,
    port::Port,
    story::{self, client},
};
use afterward::{Context, Fail, Queue, Raw, Worker, sqs::Client};
use afterward_server::{Config, Running, Server};
use http::HeaderMap;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

async fn start(config: Config) -> Running {
    Server::start(config).await.expect("the server starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_done_once_and_broken_ones_end_in_the_dead_letter_queue() {
    let server = start(Config::ephemeral()).await;
    story::jobs_are_done_once_and_broken_ones_end_in_the_dead_letter_queue(&client(&server.url())).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_keep_their_order() {
    let server = start(Config::ephemeral()).await;
    story::groups_keep_their_order(&client(&server.url())).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_work_is_handed_to_the_next_worker() {
    let server = start(Config::ephemeral()).await;
    story::unfinished_work_is_handed_to_the_next_worker(&client(&server.url())).await;
    server.stop().await;
}

macro_rules! limited {
    ($($story:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            let server = start(Config::ephemeral()).await;
            limited::$story(&client(&server.url())).await;
            server.stop().await;
        }
    )*};
}

limited::each_story! { limited }

async fn post_job(client: &Client, job: Value) -> String {
    let reply = client.post("/jobs", HeaderMap::new(), job.to_string()).await.unwrap();
    assert_eq!(reply.status(), 202);
    let reply: Value = serde_json::from_slice(reply.body()).unwrap();
    reply["id"].as_str().unwrap().to_owned()
}

/// The job's status once it is `status`.
async fn job_that_is(client: &Client, id: &str, status: &str) -> Value {
    job_where(client, id, |job| job["status"] == status).await
}

/// The job's status once it is as `wanted`.
async fn job_where(client: &Client, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/jobs/{id}");
    let waiting = async {
        loop {
            let job: Value = serde_json::from_slice(client.get(&path).await.unwrap().body()).unwrap();
            if wanted(&job) {
                return job;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(120), waiting).await.expect("the job came to be so")
}

async fn one_job(job: Raw) -> Result<(), String> {
    let job: Value = job.json().map_err(|error| error.to_string())?;
    if job["fail"] == true { Err(format!("no such tüsk: {}", job["task"])) } else { Ok(()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_status_tells_why_it_failed() {
    let server = start(Config::ephemeral()).await;
    let client = client(&server.url());
    let broken = post_job(&client, json!({"task": "broken-job", "fail": true})).await;
    let fine = post_job(&client, json!({"task": "fine"})).await;

    let queue = Queue::named("jobs").client(client.clone()).await.unwrap();
    let worker = Worker::new(queue).retry(Duration::ZERO).otherwise(one_job);
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());
    job_that_is(&client, &fine, "succeeded").await;
    let dead = job_that_is(&client, &broken, "dead").await;
    assert_eq!(dead["last_error"], "no such tüsk: \"broken-job\"");
    assert_eq!(dead["attempts"], 3);
    handle.stop();
    let summary = running.await.unwrap().unwrap();
    assert_eq!((summary.failed, summary.dead_lettered), (2, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_good_is_dead_at_once_and_tells_how_far_it_came() {
    let server = start(Config::ephemeral()).await;
    let client = client(&server.url());
    let hopeless = post_job(&client, json!({"task": "hopeless"})).await;
    let queue = Queue::named("jobs").client(client.clone()).await.unwrap();
    let worker = Worker::new(queue).otherwise(|_: Raw, cx: Context| async move {
        cx.progress(0.5, "half of it");
        Err::<(), _>(Fail::new("nobody can do this"))
    });
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());
    let dead = job_that_is(&client, &hopeless, "dead").await;
    assert_eq!((&dead["last_error"], &dead["attempts"]), (&json!("nobody can do this"), &json!(1)));
    assert_eq!(dead["dead_letter_queue"], "jobs-dlq");
    handle.stop();
    assert_eq!(running.await.unwrap().unwrap().dead_lettered, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_status_shows_how_far_its_handler_is() {
    let server = start(Config::ephemeral()).await;
    let client = client(&server.url());
    let job = post_job(&client, json!({"task": "resize"})).await;
    let queue = Queue::named("jobs").client(client.clone()).await.unwrap();
    let seen = Arc::new(Notify::new());
    let looked = seen.clone();
    let worker = Worker::new(queue).otherwise(move |_: Raw, cx: Context| {
        let looked = looked.clone();
        async move {
            cx.progress(0.4, "resized, naïvely");
            looked.notified().await;
        }
    });
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());
    let told = job_where(&client, &job, |job| job["progress"].is_object()).await;
    assert_eq!((&told["status"], &told["attempts"]), (&json!("active"), &json!(1)));
    assert_eq!(told["progress"], json!({"fraction": 0.4, "text": "resized, naïvely"}));
    seen.notify_one();
    assert_eq!(job_that_is(&client, &job, "succeeded").await.get("progress"), None);
    handle.stop();
    running.await.unwrap().unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_outlives_a_restart_of_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let port = Port::held();
    let config = || Config { listen: port.address, ..Config::at(directory.path()) };
    let first = start(config()).await;
    let client = client(&port.url());
    let queue = Queue::named("jobs").client(client.clone()).await.unwrap();
    let worker = Worker::new(queue).otherwise(one_job);
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());

    let before = post_job(&client, json!({"task": "before"})).await;
    job_that_is(&client, &before, "succeeded").await;
    first.stop().await;
    let second = start(config()).await;
    let after = post_job(&client, json!({"task": "after"})).await;
    job_that_is(&client, &after, "succeeded").await;

    handle.stop();
    assert_eq!(running.await.unwrap().unwrap().succeeded, 2);
    second.stop().await;
}
