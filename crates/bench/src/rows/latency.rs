//! How soon a receiver that waits has a message.

use super::{Figure, LONG_POLL, LONG_POLL_WHOLE, Outcome};
use crate::{
    lab::{Lab, alternate},
    latency::Latency,
    load::{Deliveries, Extent, Load, REST, Times},
    spread::{Spread, figure},
    trouble::Trouble,
};

/// One round: sends to a queue where nobody waits, and sends to one where somebody does, with the same rests between them.
type Round = (Deliveries, Deliveries);

/// Both rows; they rest on the same messages.
pub(super) async fn long_poll(lab: &Lab<'_>) -> Vec<Outcome> {
    match rounds(lab).await {
        Ok(rounds) => vec![(LONG_POLL, Ok(after(&rounds))), (LONG_POLL_WHOLE, Ok(whole(&rounds)))],
        Err(trouble) => [LONG_POLL, LONG_POLL_WHOLE].map(|row| (row, Err(trouble.clone()))).into(),
    }
}

async fn rounds(lab: &Lab<'_>) -> Result<Vec<Round>, Trouble> {
    let broker = lab.broker()?;
    // Rests make few sends, and a 99th percentile needs many.
    let times = Times { counted: 2 * lab.pace.times.counted, ..lab.pace.times };
    let verified = async |load: Load, deliveries: Deliveries| {
        load.prove(Extent::All).await.check()?;
        lab.flushed(deliveries.sends.clone(), 1)?;
        Ok(deliveries)
    };
    let alone = async || {
        let load = lab.load(broker.target()).await?;
        let sends = load.occasional_sends(times).await;
        verified(load, sends).await
    };
    let awaited = async || {
        let load = lab.load(broker.target()).await?;
        let deliveries = load.long_poll(times).await;
        if deliveries.after.count() == 0 {
            return Err(Trouble::new("not verified: not one message was delivered within the window"));
        }
        verified(load, deliveries).await
    };
    alternate(lab.pace.rounds, alone, awaited).await
}

fn p99(latency: &Latency) -> f64 {
    latency.quantile_ms(0.99)
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> String {
    figure(Spread::of(rounds.iter().map(of)).median)
}

/// From the acknowledgement.
fn after(rounds: &[Round]) -> Figure {
    let ratio = Spread::of(rounds.iter().map(|(alone, poll)| p99(&poll.after) / p99(&alone.sends.latency)));
    Figure {
        measured: format!("{ratio} ×"),
        absolute: format!(
            "{} ms after the acknowledgement (p50 {} ms); a send {} ms (p50 {} ms); each after a rest of {} ms",
            median(rounds, |(_, poll)| p99(&poll.after)),
            median(rounds, |(_, poll)| poll.after.quantile_ms(0.5)),
            median(rounds, |(alone, _)| p99(&alone.sends.latency)),
            median(rounds, |(alone, _)| alone.sends.latency.quantile_ms(0.5)),
            REST.as_millis(),
        ),
    }
}

/// From the beginning of the send.
fn whole(rounds: &[Round]) -> Figure {
    let ratio = Spread::of(rounds.iter().map(|(alone, poll)| p99(&poll.whole) / p99(&alone.sends.latency)));
    Figure {
        measured: format!("{ratio} ×"),
        absolute: format!(
            "{} ms after the send began (p50 {} ms), which was acknowledged after {} ms (p50 {} ms)",
            median(rounds, |(_, poll)| p99(&poll.whole)),
            median(rounds, |(_, poll)| poll.whole.quantile_ms(0.5)),
            median(rounds, |(_, poll)| p99(&poll.sends.latency)),
            median(rounds, |(_, poll)| poll.sends.latency.quantile_ms(0.5)),
        ),
    }
}
