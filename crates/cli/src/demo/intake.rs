//! Jobs come in, as any program would send them: one `POST /jobs` each.

use super::world::World;
use crate::failure::Failure;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

/// Posts `jobs` jobs, of which `broken` fail on purpose, evenly among the others. Their ids.
pub(super) async fn post(world: &World, jobs: usize, broken: usize) -> Result<Vec<String>, Failure> {
    let every = jobs / broken.max(1);
    let mut ids = Vec::with_capacity(jobs);
    for number in 0..jobs {
        let body = match number % every == every / 2 && number / every < broken {
            true => r#"{"task":"broken-job","fail":true}"#.to_owned(),
            false => format!(r#"{{"task":"resize-image","image":{number}}}"#),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = world.client.post("/jobs", headers, body).await?;
        ids.push(serde_json::from_slice::<Accepted>(reply.body())?.id);
    }
    Ok(ids)
}
