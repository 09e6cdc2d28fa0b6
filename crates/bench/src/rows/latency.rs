//! How soon a receiver that waits has a message.

use super::Figure;
use crate::{
    lab::{Lab, alternate},
    load::{Extent, Reading},
    spread::{Spread, figure},
    sqs::Expect,
    trouble::Trouble,
};

pub(super) async fn long_poll(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let broker = lab.broker()?;
    let times = lab.pace.times;
    let sends = async || {
        let load = lab.load(broker.target()).await?;
        let reading = load.send(1, times, Expect::Broker).await;
        load.prove(Extent::All).await.check()?;
        lab.flushed(reading, 1)
    };
    let deliveries = async || {
        let load = lab.load(broker.target()).await?;
        let reading = load.long_poll(times).await;
        load.prove(Extent::All).await.check()?;
        lab.noted(reading)
    };
    let pairs = alternate(lab.pace.rounds, sends, deliveries).await?;
    let p99 = |reading: &Reading| reading.latency.quantile_ms(0.99);
    let median = |of: &dyn Fn(&(Reading, Reading)) -> f64| figure(Spread::of(pairs.iter().map(of)).median);
    Ok(Figure {
        measured: format!("{} ×", super::ratio(&pairs, p99)),
        absolute: format!(
            "delivered {} ms after the send began (p50 {} ms), that send acknowledged after {} ms; a send on a busy \
             connection {} ms",
            median(&|(_, poll)| p99(poll)),
            median(&|(_, poll)| poll.latency.quantile_ms(0.5)),
            median(&|(_, poll)| poll.before.quantile_ms(0.99)),
            median(&|(send, _)| p99(send)),
        ),
    })
}
