//! What was acknowledged and what came back: each acknowledged message has to be received exactly once, whole.

use crate::body::Bodies;

/// The account of one run's messages.
#[derive(Debug)]
pub struct Ledger {
    bodies: Bodies,
    /// Whether the server's answers mean anything.
    checks: bool,
    next: u32,
    counts: Vec<Count>,
    /// Hashes of the message ids that were given out.
    ids: Vec<u64>,
    acked: u64,
    received: u64,
    unknown: u64,
    wrong_md5: u64,
    failures: u64,
    first_failure: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    acked: u16,
    received: u16,
}

/// What the account says at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    /// Messages that the server acknowledged.
    pub acked: u64,
    /// Messages that it delivered.
    pub received: u64,
    /// What is wrong; empty if a figure may be quoted.
    pub faults: Vec<String>,
}

impl Ledger {
    /// An empty account of messages of `body_bytes` bytes.
    pub fn new(body_bytes: usize) -> Ledger {
        Ledger {
            bodies: Bodies::new(body_bytes),
            checks: true,
            next: 0,
            counts: Vec::new(),
            ids: Vec::new(),
            acked: 0,
            received: 0,
            unknown: 0,
            wrong_md5: 0,
            failures: 0,
            first_failure: None,
        }
    }

    /// The account of a server that gives the same answers every time: all that is worked out with others' answers is, so
    /// that the generator costs as much, but only how many there were is noted.
    pub fn unchecked(body_bytes: usize) -> Ledger {
        Ledger { checks: false, ..Ledger::new(body_bytes) }
    }

    /// The bodies of this run.
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// The number of a message that is about to be sent.
    pub fn take_number(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The number that the next message will have.
    pub fn next_number(&self) -> u32 {
        self.next
    }

    /// The server took message `number` and says that this is its id and its digest.
    pub fn acknowledged(&mut self, number: u32, id: &str, md5: &str) {
        let is_right = md5.as_bytes() == self.bodies.md5(number);
        self.wrong_md5 += u64::from(self.checks && !is_right);
        // A bare server's ids are one.
        self.ids.push(if self.checks { fingerprint(id) } else { fingerprint(id) ^ u64::from(number) });
        self.accepted(number);
    }

    /// The server took message `number`; its protocol knows no digests.
    pub fn accepted(&mut self, number: u32) {
        self.acked += 1;
        self.count(number).acked += 1;
    }

    /// The server delivered `body`; the message's number, if it is one of this run's and whole.
    pub fn received(&mut self, body: &[u8], md5: Option<&str>) -> Option<u32> {
        self.received += 1;
        let Some(number) = self.bodies.recognize(body) else {
            if self.checks {
                self.unknown += 1;
            } else {
                std::hint::black_box(self.bodies.md5(0));
            }
            return None;
        };
        if md5.is_some_and(|md5| md5.as_bytes() != self.bodies.md5(number)) {
            self.wrong_md5 += 1;
        }
        self.count(number).received += 1;
        Some(number)
    }

    /// A request failed, or its answer was not what the protocol says.
    pub fn failed(&mut self, what: impl Into<String>) {
        self.failures += 1;
        self.first_failure.get_or_insert_with(|| what.into());
    }

    /// How many failures there were.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// How many messages were acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// How many acknowledged messages have not come back.
    pub fn outstanding(&self) -> u64 {
        self.acked.saturating_sub(self.received)
    }

    fn count(&mut self, number: u32) -> &mut Count {
        let at = number as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, Count::default());
        }
        &mut self.counts[at]
    }

    /// What the account says. `drained`: the queue was emptied, so that what is missing is lost.
    pub fn proof(&mut self, drained: bool) -> Proof {
        let excess = |more: u16, less: u16| u64::from(more.saturating_sub(less));
        let lost: u64 = self.counts.iter().map(|count| excess(count.acked, count.received)).sum();
        let twice: u64 = self.counts.iter().map(|count| excess(count.received, count.acked)).sum();
        self.ids.sort_unstable();
        let repeated = self.ids.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
        let mut faults = Vec::new();
        let mut fault = |count: u64, what: &str| {
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        };
        fault(if drained { lost } else { 0 }, "acknowledged messages never received");
        fault(twice, "messages received more often than acknowledged");
        fault(self.unknown, "bodies that were not sent");
        fault(self.wrong_md5, "wrong MD5s");
        fault(repeated, "message ids given out twice");
        fault(self.failures, "failed requests");
        if let Some(first) = &self.first_failure {
            faults.push(format!("the first failure: {first}"));
        }
        Proof { acked: self.acked, received: self.received, faults }
    }
}

fn fingerprint(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` messages; the bodies that were acknowledged.
    fn sent(ledger: &mut Ledger, count: usize) -> Vec<Vec<u8>> {
        let send = |at: usize| {
            let number = ledger.take_number();
            let mut body = ledger.bodies().template().to_vec();
            ledger.bodies().number(&mut body, number);
            let md5 = String::from_utf8(ledger.bodies().md5(number).to_vec()).unwrap();
            ledger.acknowledged(number, &format!("id-{at}"), &md5);
            body
        };
        (0..count).map(send).collect()
    }

    fn receive<'a>(ledger: &mut Ledger, bodies: impl IntoIterator<Item = &'a Vec<u8>>) {
        for body in bodies {
            ledger.received(body, None);
        }
    }

    #[test]
    fn what_came_back_once_and_whole_is_proved() {
        let mut ledger = Ledger::new(64);
        for body in sent(&mut ledger, 100) {
            ledger.received(&body, None);
        }
        assert_eq!(ledger.proof(true), Proof { acked: 100, received: 100, faults: vec![] });
    }

    #[test]
    fn each_fault_is_told() {
        type Fault = fn(&mut Ledger, Vec<Vec<u8>>);
        let cases: [(&str, Fault); 6] = [
            ("1 acknowledged messages never received", |ledger, bodies| {
                receive(ledger, &bodies[1..]);
            }),
            ("1 messages received more often than acknowledged", |ledger, bodies| {
                receive(ledger, bodies.iter().chain(&bodies[..1]));
            }),
            ("1 bodies that were not sent", |ledger, bodies| {
                receive(ledger, &bodies);
                ledger.received(b"?", None);
            }),
            ("1 wrong MD5s", |ledger, bodies| {
                receive(ledger, &bodies[1..]);
                ledger.received(&bodies[0], Some("0"));
            }),
            ("1 failed requests", |ledger, bodies| {
                receive(ledger, &bodies);
                ledger.failed("500");
            }),
            ("1 message ids given out twice", |ledger, bodies| {
                let number = ledger.take_number();
                let md5 = String::from_utf8(ledger.bodies().md5(number).to_vec()).unwrap();
                let mut body = bodies[0].clone();
                ledger.bodies().number(&mut body, number);
                ledger.acknowledged(number, "id-0", &md5);
                receive(ledger, bodies.iter().chain([&body]));
            }),
        ];
        for (told, fault) in cases {
            let mut ledger = Ledger::new(64);
            let bodies = sent(&mut ledger, 3);
            fault(&mut ledger, bodies);
            assert_eq!(ledger.proof(true).faults.first().map(String::as_str), Some(told));
        }
        let mut ledger = Ledger::new(64);
        let bodies = sent(&mut ledger, 3);
        receive(&mut ledger, &bodies);
        assert!(ledger.proof(true).faults.is_empty());
    }

    #[test]
    fn what_is_missing_is_lost_only_when_the_queue_was_emptied() {
        let mut ledger = Ledger::new(64);
        sent(&mut ledger, 3);
        assert!(ledger.proof(false).faults.is_empty());
        assert_eq!(ledger.proof(true).faults, ["3 acknowledged messages never received"]);
    }
}
