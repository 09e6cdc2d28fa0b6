//! What it costs to verify a signature: the same signed requests to a server that verifies and to one that takes
//! everybody, in turns.
//!
//! The server that verifies is started, after its queue was made, on that data; and to prove what it took, once more
//! without credentials: so nothing but the measured sends has to be signed.

use super::Figure;
use crate::{
    lab::{Lab, alternate},
    load::{Extent, Load, Reading},
    spread::{Spread, figure},
    trouble::Trouble,
};
use afterward_aws::sigv4::Credential;

const CONNECTIONS: usize = 64;
/// Signed ahead, and sent round and round.
const REQUESTS: usize = 8192;

pub(super) async fn measure(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let credential = Credential {
        access_key_id: "BENCHBENCHBENCHBENCH".into(),
        secret_access_key: "a secret that only this benchmark uses".into(),
        session_token: None,
    };
    let open = lab.broker()?;
    let mut closed = lab.broker()?;
    let open_load = lab.load(open.target()).await?;
    let closed_load = lab.load(closed.target()).await?;
    closed.kill();
    lab.start(&mut closed, Some(&credential))?;
    let closed_load = closed_load.moved(closed.target());
    refuses_strangers(&closed_load).await?;
    let open_requests = open_load.presign(credential.clone(), REQUESTS);
    let closed_requests = closed_load.presign(credential, REQUESTS);
    let times = lab.pace.times;
    let sends = async |load: &Load, requests| {
        let reading = load.send_signed(CONNECTIONS, times, requests).await;
        load.proof(false).check()?;
        lab.flushed(reading, CONNECTIONS)
    };
    let pairs = alternate(
        lab.pace.rounds,
        async || sends(&open_load, &open_requests).await,
        async || sends(&closed_load, &closed_requests).await,
    )
    .await?;
    open_load.prove(Extent::All).await.check()?;
    closed.kill();
    lab.start(&mut closed, None)?;
    closed_load.moved(closed.target()).prove(Extent::All).await.check()?;
    let us = |reading: &Reading| reading.server_us().unwrap_or(f64::NAN);
    let more = Spread::of(pairs.iter().map(|(open, closed)| us(closed) - us(open)));
    let median = |of: &dyn Fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{more} µs"),
        absolute: format!("{} µs; without {} µs", median(&|(_, closed)| us(closed)), median(&|(open, _)| us(open))),
    })
}

/// A server that lets in what nobody signed does not verify.
async fn refuses_strangers(load: &Load) -> Result<(), Trouble> {
    let json = serde_json::json!({ "QueueUrl": load.queue_url(), "MessageBody": "unsigned" });
    match crate::sqs::act(load.target().address, "SendMessage", &json).await {
        Err(crate::sqs::ActionError::Status { status: 403, .. }) => Ok(()),
        Err(error) => Err(Trouble::new(format!("an unsigned request is not refused as it should be: {error}"))),
        Ok(_) => Err(Trouble::new("not verified: the server with credentials takes unsigned requests")),
    }
}
