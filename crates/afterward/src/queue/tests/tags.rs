//! Finding a queue by its tag.

use super::*;

/// A service that has these queues, by pages of two: name, and its tag `Deployment`.
async fn having(queues: &'static [(&'static str, &'static str)]) -> Server {
    Server::ruled(move |asked| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        if let Some(url) = body["QueueUrl"].as_str() {
            let name = url.rsplit('/').next().unwrap();
            return match queues.iter().find(|(known, _)| *known == name) {
                Some((_, "deleted")) => error(400, "QueueDoesNotExist", "none"),
                Some((_, tag)) => ok(&json!({"Tags": {"Deployment": tag, "Other": "main"}}).to_string()),
                None => error(400, "QueueDoesNotExist", "none"),
            };
        }
        assert_eq!(body["MaxResults"], 1000);
        let prefix = body["QueueNamePrefix"].as_str().unwrap_or_default();
        let from: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let all: Vec<&str> = queues.iter().map(|(name, _)| *name).filter(|name| name.starts_with(prefix)).collect();
        let page: Vec<String> = all.iter().skip(from).take(2).map(|name| format!("http://h/1/{name}")).collect();
        let more = (from + 2 < all.len()).then(|| (from + 2).to_string());
        ok(&json!({"QueueUrls": page, "NextToken": more}).to_string())
    })
    .await
}

const QUEUES: &[(&str, &str)] = &[
    ("letsgo-a", "test"),
    ("letsgo-b", "deleted"),
    ("letsgo-c", "main"),
    ("mine", "main"),
    ("letsgo-d", "twice"),
    ("letsgo-e", "twice"),
];

#[tokio::test]
async fn the_one_queue_with_the_tag_is_found_on_any_page() {
    let server = having(QUEUES).await;
    let find = |value: &str| Queue::tagged("Deployment", value).client(client(&server.url()));
    assert_eq!(find("main").prefix("letsgo-").await.unwrap().name(), "letsgo-c");
    assert_eq!(find("test").await.unwrap().name(), "letsgo-a");
    for (value, words) in [
        ("none", "none of the 6 queues at http://"),
        ("none", "in region eu-central-1 has the tag Deployment=none"),
        ("twice", "2 queues at http://"),
        ("twice", "http://h/1/letsgo-d, http://h/1/letsgo-e"),
    ] {
        let error = find(value).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn what_the_environment_names_is_looked_for_once() {
    let server = having(QUEUES).await;
    let tag = super::super::tagged::Tag::parse("Deployment=test").unwrap();
    let client = client(&server.url());
    for _ in 0..3 {
        assert_eq!(tag.find_once(&client).await.unwrap(), "http://h/1/letsgo-a");
    }
    let lists = server.bodies().iter().filter(|body| body["MaxResults"] == 1000).count();
    assert_eq!(lists, 3, "three pages, once");
}
