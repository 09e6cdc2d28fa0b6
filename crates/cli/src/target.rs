//! Which SQS a command talks to.

use crate::failure::Failure;
use afterward::sqs::{Builder, Client, GetQueueUrlRequest};
use clap::Args;

/// Which SQS to talk to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which server")]
pub(crate) struct Target {
    /// Server address, or `aws` for Amazon itself [env: AFTERWARD_URL, AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL]
    /// [default: http://127.0.0.1:4566]
    #[arg(long, global = true, value_name = "URL")]
    url: Option<String>,
    /// Amazon itself: the same as --url aws
    #[arg(long, global = true, conflicts_with = "url")]
    amazon: bool,
    /// Region [env: AWS_REGION, AWS_DEFAULT_REGION] [default: us-east-1]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Profile of the shared AWS credentials file [env: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
}

impl Target {
    /// Whether the command line names Amazon.
    pub(crate) fn is_amazon(&self) -> bool {
        self.amazon || matches!(self.url.as_deref(), Some("aws" | "amazon"))
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder();
        match self.url.as_deref() {
            _ if self.is_amazon() => builder = builder.amazon(),
            Some(url) => builder = builder.endpoint(url),
            None => {}
        }
        self.finish(builder)
    }

    /// A client for a command about `queue`: where that is a URL and nothing else says where to go, of the URL's host.
    pub(crate) fn client_for(&self, queue: &str) -> Result<Client, Failure> {
        match queue.split_once("://") {
            Some((scheme, rest)) if self.url.is_none() && !self.amazon => {
                let host = rest.split('/').next().unwrap_or(rest);
                self.finish(Client::builder().endpoint(format!("{scheme}://{host}")))
            }
            _ => self.client(),
        }
    }

    fn finish(&self, mut builder: Builder) -> Result<Client, Failure> {
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        Ok(builder.build()?)
    }
}

/// Whether a client talks to Amazon.
pub(crate) fn is_amazon(client: &Client) -> bool {
    let address = client.endpoint().as_str();
    let host = address.split("://").nth(1).unwrap_or(address).split(['/', ':']).next().unwrap_or_default();
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// The URL of a queue that is given by name or by URL.
pub(crate) async fn queue_url(client: &Client, queue: &str) -> Result<String, Failure> {
    if queue.contains("://") {
        return Ok(queue.to_owned());
    }
    let request = GetQueueUrlRequest { queue_name: queue.to_owned(), ..GetQueueUrlRequest::default() };
    let found = client.get_queue_url(request).await?;
    found.queue_url.ok_or_else(|| Failure::new(format!("{} did not say the URL of `{queue}`", client.endpoint())))
}

/// The name at the end of a queue's URL or ARN.
pub(crate) fn queue_name(url_or_arn: &str) -> &str {
    url_or_arn.rsplit(['/', ':']).next().unwrap_or(url_or_arn)
}
