//! A million waiting messages: what they take of memory, what they cost a receive, and how long a restart takes with
//! them. At the end all of them are received: none may be missing after the kills.

use super::{DEPTH, Figure, MEMORY, Outcome, RESTART, depth};
use crate::{
    http::Connection,
    lab::{Broker, Lab},
    load::{Extent, Load},
    meter,
    spread::{Spread, figure},
    trouble::Trouble,
};
use std::time::{Duration, Instant};

/// How long the server may take to put its buffers away before its memory is read.
const REST: Duration = Duration::from_millis(500);

/// The three figures; each or none may be quoted, because they rest on the same messages.
pub(super) async fn measure(lab: &Lab<'_>) -> Vec<Outcome> {
    match all(lab).await {
        Ok([depth, memory, restart]) => vec![(DEPTH, Ok(depth)), (MEMORY, Ok(memory)), (RESTART, Ok(restart))],
        Err(trouble) => [DEPTH, MEMORY, RESTART].map(|row| (row, Err(trouble.clone()))).into(),
    }
}

async fn all(lab: &Lab<'_>) -> Result<[Figure; 3], Trouble> {
    let mut broker = lab.broker()?;
    let shallow = lab.load(broker.target()).await?;
    let deep = lab.load(broker.target()).await?;
    let memory = memory(lab, &broker, &deep).await?;
    let mut depth = depth::compare(lab, &shallow, &deep).await?;
    depth.absolute.push_str(&format!("; {} waiting", figure(lab.pace.depth as f64)));
    let restart = restart(lab, &mut broker).await?;
    for load in [shallow, deep] {
        load.moved(broker.target()).prove(Extent::All).await.check()?;
    }
    Ok([depth, memory, restart])
}

async fn memory(lab: &Lab<'_>, broker: &Broker, deep: &Load) -> Result<Figure, Trouble> {
    let unknown = || Trouble::new("the server's process is not known");
    let pid = broker.target().pid.ok_or_else(unknown)?;
    let before = meter::rss_bytes(pid) as f64;
    let filled = deep.fill(lab.pace.depth).await;
    tokio::time::sleep(REST).await;
    let after = meter::rss_bytes(pid) as f64;
    let each = (after - before) / filled.operations.max(1) as f64;
    let mib = |bytes: f64| figure(bytes / 1_048_576.0);
    Ok(Figure {
        measured: format!("{each:.0} bytes"),
        absolute: format!(
            "resident {} → {} MiB with {} messages, sent at {}/s",
            mib(before),
            mib(after),
            figure(filled.operations as f64),
            figure(filled.per_s())
        ),
    })
}

async fn restart(lab: &Lab<'_>, broker: &mut Broker) -> Result<Figure, Trouble> {
    let mut took = Vec::new();
    for _ in 0..lab.pace.rounds {
        broker.kill();
        let began = Instant::now();
        lab.start(broker, None)?;
        let mut connection = Connection::new(broker.target().address);
        let ready = connection.call(b"GET /_afterward/ready HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        match ready {
            Ok(reply) if reply.status == 200 => took.push(began.elapsed().as_secs_f64()),
            Ok(reply) => return Err(Trouble::new(format!("not ready after a restart: status {}", reply.status))),
            Err(error) => return Err(Trouble::new(format!("not ready after a restart: {error}"))),
        }
    }
    let took = Spread::of(took);
    Ok(Figure {
        measured: format!("{took} s"),
        absolute: format!("killed and started {} times; all messages received afterwards", lab.pace.rounds),
    })
}
