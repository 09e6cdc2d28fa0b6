//! What it costs to verify a signature: the same signed requests to a server that verifies and to one that takes
//! everybody, in slices, and to the second one the same without any signature, too.
//!
//! Two processes of one program differ by themselves, as it seems by where things lie in memory and on the disk: medians of 40
//! slices did by a microsecond. So there are more rounds than elsewhere, each has two new ones, and what is shown beside
//! the median of the rounds is how well that is known.
//!
//! The server that verifies is started, after its queue was made, on that data; and to prove what it took, once more
//! without credentials: so nothing but the measured sends has to be signed.

use super::Figure;
use crate::{
    lab::{Broker, Lab},
    load::{Ahead, Extent, Load, Reading},
    meter::{Meter, thread_cpu_ns},
    presign, shapes, slices,
    spread::{Spread, figure},
    trouble::Trouble,
};
use afterward_aws::{
    Incoming,
    sigv4::{Credential, Signer, Verifier, peek},
};
use http::{HeaderMap, Method, Uri};
use std::hint::black_box;

const CONNECTIONS: usize = 64;
/// So many rounds for one of other rows.
const ROUNDS: usize = 4;
/// How many slices a round is cut into.
const SLICES: usize = 12;
/// Made ahead, and sent round and round.
const REQUESTS: usize = 8192;
/// The most that a verification may cost, in microseconds.
const MUST_US: f64 = 1.5;

/// One slice of each, in microseconds of the server's CPU a request.
#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    unsigned_us: f64,
    open_us: f64,
    closed_us: f64,
}

/// A server that takes everybody and one that verifies, at work.
struct Pair {
    open: Broker,
    closed: Broker,
    open_load: Load,
    closed_load: Load,
    /// Without a signature to the open one, signed to the open one, signed to the closed one.
    sends: [Ahead; 3],
}

pub(super) async fn measure(lab: &Lab<'_>) -> Result<Figure, Trouble> {
    let mut rounds = Vec::new();
    for round in 0..ROUNDS * lab.pace.rounds {
        let pair = Pair::start(lab, round).await?;
        rounds.push(pair.measure(lab).await?);
        pair.prove(lab).await?;
    }
    let all = rounds.concat();
    let median = |of: fn(&Slice) -> f64| figure(slices::middle(&all, of));
    let rounds_of = |of: fn(&Slice) -> f64| Spread::of_median(rounds.iter().map(|slices| slices::middle(slices, of)));
    let more = rounds_of(|slice| slice.closed_us - slice.open_us);
    let more_than_unsigned = rounds_of(|slice| slice.closed_us - slice.unsigned_us);
    Ok(Figure {
        measured: format!("{more} µs: {}", verdict(more)),
        absolute: format!(
            "{} µs; where all are let in {} µs, and without any signature {} µs: {more_than_unsigned} µs more; {} rounds, \
             with where the median lies in 19 cases of 20. By itself, in a loop without sockets: {} µs",
            median(|slice| slice.closed_us),
            median(|slice| slice.open_us),
            median(|slice| slice.unsigned_us),
            rounds.len(),
            by_itself(lab.pace.take as usize / 10),
        ),
    })
}

/// What the rounds say of the must: its whole range, or nothing.
fn verdict(more_us: Spread) -> &'static str {
    match more_us {
        Spread { max, .. } if max <= MUST_US => "met",
        Spread { min, .. } if min > MUST_US => "not met",
        _ => "can't tell",
    }
}

fn credential() -> Credential {
    Credential {
        access_key_id: "BENCHBENCHBENCHBENCH".into(),
        secret_access_key: "a secret that only this benchmark uses".into(),
        session_token: None,
    }
}

fn signer() -> Signer {
    Signer::new(credential(), "us-east-1", "sqs")
}

impl Pair {
    async fn start(lab: &Lab<'_>, round: usize) -> Result<Pair, Trouble> {
        // The one that is started first is another one each round.
        let (mut closed, open) = if round.is_multiple_of(2) {
            (lab.broker()?, lab.broker()?)
        } else {
            let open = lab.broker()?;
            (lab.broker()?, open)
        };
        let open_load = lab.load(open.target()).await?;
        let closed_load = lab.load(closed.target()).await?;
        closed.kill();
        lab.start(&mut closed, Some(&credential()))?;
        let closed_load = closed_load.moved(closed.target());
        refuses_strangers(&closed_load).await?;
        let count = REQUESTS.min(slice(lab) as usize * SLICES);
        let signer = signer();
        let sends = [(&open_load, None), (&open_load, Some(&signer)), (&closed_load, Some(&signer))]
            .map(|(load, signer)| load.ahead(signer, count, CONNECTIONS));
        Ok(Pair { open, closed, open_load, closed_load, sends })
    }

    async fn measure(&self, lab: &Lab<'_>) -> Result<Vec<Slice>, Trouble> {
        // Connects, and fills caches.
        for sends in &self.sends {
            sends.send(slice(lab)).await;
        }
        let meters = [&self.open, &self.closed].map(|broker| Meter::start(broker.target().pid));
        let mut slices = Vec::new();
        for number in 0..SLICES {
            let mut slice = Slice::default();
            for at in order(number) {
                let us = self.slice_us(lab, at).await?;
                *[&mut slice.unsigned_us, &mut slice.open_us, &mut slice.closed_us][at] = us;
            }
            slices.push(slice);
        }
        let [mut spent, other] = meters.map(|meter| meter.read());
        spent.other_cores = (spent.other_cores - other.server_cpu_s.unwrap_or(0.0) / other.wall_s).max(0.0);
        lab.note_others(&spent);
        Ok(slices)
    }

    async fn slice_us(&self, lab: &Lab<'_>, at: usize) -> Result<f64, Trouble> {
        let reading: Reading = lab.flushed_slice(self.sends[at].send(slice(lab)).await, CONNECTIONS)?;
        Ok(reading.server_us_of_threads().unwrap_or(f64::NAN))
    }

    async fn prove(self, lab: &Lab<'_>) -> Result<(), Trouble> {
        let Pair { mut closed, open_load, closed_load, .. } = self;
        open_load.prove(Extent::All).await.check()?;
        closed.kill();
        lab.start(&mut closed, None)?;
        closed_load.moved(closed.target()).prove(Extent::All).await.check()
    }
}

/// Requests of a slice.
fn slice(lab: &Lab<'_>) -> u64 {
    lab.pace.take / 10
}

/// Which of the three comes when: each as often before as behind each other.
fn order(slice: usize) -> [usize; 3] {
    [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1], [1, 0, 2]][slice % 6]
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

/// What a verification takes on this thread, in microseconds, beyond reading who calls, which a server that takes
/// everybody does, too.
fn by_itself(requests: usize) -> Spread {
    const PASSES: usize = 20;
    let (signer, verifier) = (signer(), Verifier::new([credential()]));
    let body = "0".repeat(crate::body::BODY_BYTES);
    let json = shapes::send("http://127.0.0.1:4566/000000000000/bench-0", &body, false);
    let headers: Vec<HeaderMap> =
        (0..requests).map(|_| presign::headers(Some(&signer), "127.0.0.1:4566", json.as_bytes())).collect();
    let uri = Uri::from_static("/");
    let now_ms = presign::now_ms();
    let incoming = |headers| Incoming { method: &Method::POST, uri: &uri, headers, body: json.as_bytes() };
    let pass = |_| {
        let began_ns = thread_cpu_ns();
        let right = headers.iter().filter(|of| verifier.verify(&incoming(of), Some("sqs"), now_ms).is_ok()).count();
        let verified_ns = thread_cpu_ns();
        headers.iter().for_each(|of| drop(black_box(peek(&incoming(of)))));
        let peeked_ns = thread_cpu_ns() - verified_ns;
        // A signature that is not right is no figure.
        let all = if right == requests { requests as f64 } else { f64::NAN };
        ((verified_ns - began_ns) as f64 - peeked_ns as f64) / all / 1000.0
    };
    Spread::of((0..PASSES).map(pass))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_what_the_whole_range_says() {
        for (rounds, expected) in [
            ([0.9, 1.0, 1.5], "met"),
            ([1.4, 1.45, 1.6], "can't tell"),
            ([1.6, 1.7, 2.0], "not met"),
            ([f64::NAN; 3], "can't tell"),
        ] {
            assert_eq!(verdict(Spread::of(rounds)), expected, "{rounds:?}");
        }
    }

    #[test]
    fn each_comes_as_often_before_as_behind_each_other() {
        let before = |one, other| {
            let at = |number, wanted| order(number).iter().position(|at| *at == wanted);
            (0..6).filter(|number| at(*number, one) < at(*number, other)).count()
        };
        assert_eq!([(0, 1), (0, 2), (1, 2)].map(|(one, other)| before(one, other)), [3, 3, 3]);
    }

    #[test]
    fn a_verification_by_itself_verifies() {
        assert!(!by_itself(3).median.is_nan() || thread_cpu_ns() == 0);
    }
}
