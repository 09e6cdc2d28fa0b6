//! The demo's server, and what is asked of it through HTTP.

use crate::{failure::Failure, output};
use afterward::sqs::{
    Client, CreateQueueRequest, Credential, GetQueueAttributesRequest, ListMessageMoveTasksRequest,
    StartMessageMoveTaskRequest,
};
use afterward_server::{Config, Running, Server};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

pub(super) const JOBS_QUEUE: &str = "jobs";
pub(super) const DEAD_QUEUE: &str = "jobs-dlq";
/// Short, so that the retries of a broken job don't take minutes.
const VISIBILITY_TIMEOUT_S: u32 = 1;

/// A server on a free port of this machine with temporary data, its two queues, and a client.
pub(super) struct World {
    running: Running,
    pub(super) url: String,
    pub(super) client: Client,
    pub(super) jobs_url: String,
    pub(super) dead_url: String,
    dead_arn: String,
}

impl World {
    pub(super) async fn start() -> Result<World, Failure> {
        let mut config = Config::ephemeral();
        config.jobs.create = false; // the demo makes its queues itself, with a short visibility timeout
        let running = Server::start(config).await?;
        let url = running.url();
        // Keys in the environment are for Amazon; this server is asked as anybody.
        let nobody = Credential {
            access_key_id: "afterward".to_owned(),
            secret_access_key: "afterward".to_owned(),
            session_token: None,
        };
        let client = Client::builder().endpoint(&url).region("us-east-1").credentials(nobody).build()?;
        let dead_url = create(&client, DEAD_QUEUE, BTreeMap::new()).await?;
        let dead_arn = attribute(&client, &dead_url, "QueueArn").await?;
        let policy = serde_json::json!({ "deadLetterTargetArn": dead_arn, "maxReceiveCount": super::RECEIVES });
        let attributes = BTreeMap::from([
            ("VisibilityTimeout".to_owned(), VISIBILITY_TIMEOUT_S.to_string()),
            ("RedrivePolicy".to_owned(), policy.to_string()),
        ]);
        let jobs_url = create(&client, JOBS_QUEUE, attributes).await?;
        Ok(World { running, url, client, jobs_url, dead_url, dead_arn })
    }

    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    /// Gets one of the server's JSON documents.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        Ok(serde_json::from_slice(self.client.get(path).await?.body())?)
    }

    /// Moves the dead letters back and waits for the end of that; how many have moved.
    pub(super) async fn redrive(&self) -> Result<u64, Failure> {
        let start = StartMessageMoveTaskRequest { source_arn: self.dead_arn.clone(), ..Default::default() };
        self.client.start_message_move_task(start).await?;
        let deadline = Instant::now() + super::PATIENCE;
        loop {
            let list = ListMessageMoveTasksRequest { source_arn: self.dead_arn.clone(), max_results: Some(1) };
            let task = self.client.list_message_move_tasks(list).await?.results.into_iter().next().unwrap_or_default();
            let moved = u64::try_from(task.approximate_number_of_messages_moved.unwrap_or(0)).unwrap_or(0);
            match task.status.as_deref() {
                Some("COMPLETED") => return Ok(moved),
                Some("RUNNING") if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(20)).await,
                status => return Err(Failure::new(format!("the move task is {}", status.unwrap_or("gone")))),
            }
        }
    }

    /// What a person may want to do with the server now.
    pub(super) fn tell_what_to_try(&self) -> Result<(), Failure> {
        let url = &self.url;
        // As it was called: right after a build it is not on anybody's path.
        let me = std::env::args().next().unwrap_or_else(|| "afterward".to_owned());
        output::say(&format!(
            "
The server still runs. Try, in another terminal:

  curl -i {url}/jobs -d '{{\"task\":\"resize\"}}'
  curl {url}/jobs/ID   # the id that the first one answered
  curl {url}/_afterward/metrics

  export AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x
  aws --endpoint-url {url} sqs list-queues
  aws --endpoint-url {url} sqs receive-message --queue-url {}

  {me} queue ls --url {url}
  {me} queue peek {JOBS_QUEUE} --url {url}

The demo's worker has stopped, so jobs wait for you. Ctrl-C ends the server and removes its data.",
            self.jobs_url
        ))?;
        Ok(())
    }
}

async fn create(client: &Client, name: &str, attributes: BTreeMap<String, String>) -> Result<String, Failure> {
    let request = CreateQueueRequest { queue_name: name.to_owned(), attributes, ..CreateQueueRequest::default() };
    let made = client.create_queue(request).await?;
    made.queue_url.ok_or_else(|| Failure::new(format!("the server did not say the URL of `{name}`")))
}

async fn attribute(client: &Client, url: &str, name: &str) -> Result<String, Failure> {
    let request = GetQueueAttributesRequest { queue_url: url.to_owned(), attribute_names: vec![name.to_owned()] };
    let mut found = client.get_queue_attributes(request).await?;
    found.attributes.remove(name).ok_or_else(|| Failure::new(format!("{url} has no {name}")))
}
