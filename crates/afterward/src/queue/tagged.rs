//! Finding a queue by a tag of it.
//!
//! A deployment that is made by a template gets queue names with random ends, and tags that are known: so its programs find
//! their queue by `ListQueues` and `ListQueueTags`. Exactly one may have the tag.

use crate::{Error, sqs};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// Queues whose tags are asked for at a time.
const AT_A_TIME: usize = 8;
/// How many queues an error names at most.
const NAMED: usize = 5;

/// Which queue is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) value: String,
    /// What the queue's name has to start with.
    pub(super) prefix: Option<String>,
}

impl Tag {
    /// Reads `Name=Value`.
    pub(super) fn parse(text: &str) -> Option<Tag> {
        let (name, value) = text.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty()).then(|| Tag { name: name.to_owned(), value: value.to_owned(), prefix: None })
    }

    /// The URL of the one queue that has the tag.
    pub(super) async fn find(&self, client: &sqs::Client) -> Result<String, Error> {
        let urls = self.listed(client).await?;
        let looked_at = urls.len();
        let mut found = Vec::new();
        let mut asking = JoinSet::new();
        for url in urls {
            if asking.len() >= AT_A_TIME {
                found.extend(next(&mut asking).await?);
            }
            let (client, tag) = (client.clone(), self.clone());
            asking.spawn(async move { tag.is_on(&client, &url).await.map(|has| has.then_some(url)) });
        }
        while !asking.is_empty() {
            found.extend(next(&mut asking).await?);
        }
        found.sort();
        match <[String; 1]>::try_from(found) {
            Ok([url]) => Ok(url),
            Err(found) => Err(Error::Refused(self.not_one(&found, looked_at, client))),
        }
    }

    /// The same, remembered as long as the process lives.
    pub(super) async fn find_once(&self, client: &sqs::Client) -> Result<String, Error> {
        static FOUND: Mutex<BTreeMap<(String, String, Tag), String>> = Mutex::new(BTreeMap::new());
        let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (client.endpoint().to_string(), client.region().to_owned(), self.clone());
        if let Some(url) = found().get(&key) {
            return Ok(url.clone());
        }
        let url = self.find(client).await?;
        found().insert(key, url.clone());
        Ok(url)
    }

    async fn listed(&self, client: &sqs::Client) -> Result<Vec<String>, sqs::Error> {
        let (mut urls, mut next_token) = (Vec::new(), None);
        loop {
            let request = sqs::ListQueuesRequest {
                queue_name_prefix: self.prefix.clone(),
                next_token,
                // Without a page's length there are no further pages.
                max_results: Some(1000),
            };
            let page = client.list_queues(request).await?;
            urls.extend(page.queue_urls);
            next_token = page.next_token.filter(|token| !token.is_empty());
            if next_token.is_none() {
                return Ok(urls);
            }
        }
    }

    async fn is_on(&self, client: &sqs::Client, url: &str) -> Result<bool, sqs::Error> {
        match client.list_queue_tags(sqs::ListQueueTagsRequest { queue_url: url.to_owned() }).await {
            Ok(tags) => Ok(tags.tags.get(&self.name) == Some(&self.value)),
            // Deleted since it was listed.
            Err(error) if error.is_queue_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn not_one(&self, found: &[String], looked_at: usize, client: &sqs::Client) -> String {
        let Tag { name, value, prefix } = self;
        let of = prefix.as_ref().map(|prefix| format!(" whose names start with `{prefix}`")).unwrap_or_default();
        let place = format!("at {} in region {}", client.endpoint(), client.region());
        if found.is_empty() {
            return format!("none of the {looked_at} queues{of} {place} has the tag {name}={value}");
        }
        let more = if found.len() > NAMED { ", …" } else { "" };
        let urls = found.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        format!("{} queues{of} {place} have the tag {name}={value}, and it has to be one: {urls}{more}", found.len())
    }
}

async fn next(asking: &mut JoinSet<Result<Option<String>, sqs::Error>>) -> Result<Option<String>, Error> {
    match asking.join_next().await {
        Some(Ok(outcome)) => Ok(outcome?),
        Some(Err(ended)) => Err(Error::Refused(format!("asking for a queue's tags was broken off: {ended}"))),
        None => Ok(None),
    }
}
