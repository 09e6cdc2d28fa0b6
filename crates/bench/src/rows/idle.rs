//! Queues that nobody uses.

use super::Figure;
use crate::{lab::Lab, meter, spread::figure, sqs::create_queue, trouble::Trouble};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long the server may take to put its buffers away before its memory is read.
const REST: Duration = Duration::from_millis(500);
/// How many queues are created at once.
const AT_ONCE: u64 = 16;

pub(super) async fn measure(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let target = broker.target();
    let pid = target.pid.ok_or_else(|| Trouble::new("the server's process is not known"))?;
    // The first of everything is not the queues' fault.
    create_queue(target.address, "first", &[]).await?;
    tokio::time::sleep(REST).await;
    let before = meter::rss_bytes(pid) as f64;
    let count = lab.pace.idle_queues;
    let mut creating = JoinSet::new();
    for share in 0..AT_ONCE {
        creating.spawn_local(async move {
            for number in (share..count).step_by(AT_ONCE as usize) {
                create_queue(target.address, &format!("idle-{number}"), &[]).await?;
            }
            Ok::<_, Trouble>(())
        });
    }
    while let Some(created) = creating.join_next().await {
        created.map_err(|error| Trouble::new(format!("a connection's task died: {error}")))??;
    }
    tokio::time::sleep(REST).await;
    let each = (meter::rss_bytes(pid) as f64 - before) / count as f64;
    let cpu_before = meter::cpu_s(pid);
    tokio::time::sleep(lab.pace.idle).await;
    let cpu_ms = (meter::cpu_s(pid) - cpu_before) * 1000.0;
    let listed = listed(target.address, count).await?;
    if listed != count + 1 {
        return Err(Trouble::new(format!("not verified: {listed} queues are listed, {} were created", count + 1)));
    }
    Ok(Figure {
        measured: format!("{each:.0} bytes, {cpu_ms:.0} ms CPU"),
        absolute: format!("{} queues, watched for {} s", figure(count as f64), lab.pace.idle.as_secs_f64()),
    })
}

/// How many queues the server lists.
async fn listed(address: std::net::SocketAddr, at_most: u64) -> Result<u64, Trouble> {
    let mut count = 0;
    let mut token = serde_json::Value::Null;
    loop {
        let mut json = serde_json::json!({ "MaxResults": 1000 });
        if !token.is_null() {
            json["NextToken"] = token;
        }
        let page = crate::sqs::act(address, "ListQueues", &json).await?;
        count += page["QueueUrls"].as_array().map_or(0, Vec::len) as u64;
        token = page["NextToken"].clone();
        if token.is_null() || count > 2 * at_most {
            return Ok(count);
        }
    }
}
