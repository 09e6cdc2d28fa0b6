//! A batch in a model of a FIFO group: jobs that have more jobs, workers that die between any two steps, tallies that are
//! received in any portions, told twice, and deleted by halves. The completion must never come while a job is in the queue, and
//! must come when none is.

use super::{
    dice::Dice,
    member::{Member, Members},
    record::Tally,
    step::{Known, Received, Rules, Step},
};
use crate::sqs::SendMessageRequest;
use std::collections::BTreeSet;

const RETENTION_MS: u64 = 4 * 86_400_000;

/// One batch: its jobs in the work queue, its tallies in the tally queue, and what came of it.
struct World {
    dice: Dice,
    now_ms: u64,
    /// Jobs that are in the work queue, with how many more each will have.
    jobs: Vec<(Member, usize)>,
    next: [u64; 3],
    tallies: Vec<Received>,
    sent: u64,
    completed: usize,
    /// Jobs whose end was told: they may still be there, and come again, as at-least-once has it.
    ended: Members,
    /// What the two workers remember.
    known: [Vec<Known>; 2],
    /// Whether a receive may bring less than there is.
    cuts: bool,
    /// Whether it brings one at a time.
    singly: bool,
    /// Whether attempts may die that have announced jobs.
    kills: bool,
}

impl World {
    fn new(seed: u64, cuts: bool, kills: bool) -> World {
        let dice = Dice::new(seed);
        let (jobs, tallies) = (Vec::new(), Vec::new());
        World {
            dice,
            now_ms: 0,
            jobs,
            next: [0; 3],
            tallies,
            sent: 0,
            completed: 0,
            ended: Members::default(),
            known: Default::default(),
            cuts,
            singly: seed.is_multiple_of(3),
            kills,
        }
    }

    fn member(&mut self, origin: usize) -> Member {
        self.next[origin] += 1;
        Member { batch: "b".into(), origin: format!("o{origin}"), index: self.next[origin] - 1 }
    }

    /// Puts a tally at the group's end; perhaps twice.
    fn tell(&mut self, tally: Tally) {
        self.ended.unite(&tally.ended);
        // By way of its text, as in the queue.
        let tally: Tally = serde_json::from_str(&tally.text().unwrap()).unwrap();
        // What a worker merges, a FIFO queue takes once.
        for _ in 0..if !tally.merged && self.dice.one_in(8) { 2 } else { 1 } {
            self.sent += 1;
            let receipt = self.sent.to_string();
            self.tallies.push(Received { tally: tally.clone(), receipt, receive_count: 0 });
        }
    }

    fn new_tally(&self) -> Tally {
        Tally::of("jobs", self.now_ms)
    }

    fn announce(&mut self, members: &[Member]) -> Members {
        let mut tally = self.new_tally();
        members.iter().for_each(|member| tally.announced.add(member));
        let announced = tally.announced.clone();
        self.tell(tally);
        announced
    }

    /// A program enqueues some jobs and the completion; tallies may be looked after in between.
    fn enqueue(&mut self) {
        let mut roots = Members::default();
        for _ in 0..self.dice.below(4) {
            let members: Vec<Member> = (0..1 + self.dice.below(3)).map(|_| self.member(0)).collect();
            roots.unite(&self.announce(&members));
            for member in members {
                let children = self.dice.below(3);
                self.jobs.push((member, children));
            }
            self.turn();
        }
        let mut tally = self.new_tally();
        tally.announced = roots;
        tally.completions.insert("done".into(), SendMessageRequest { message_body: "{}".into(), ..Default::default() });
        self.tell(tally);
    }

    /// An attempt at a job, on one of two workers.
    fn work(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        let place = self.dice.below(self.jobs.len());
        let (member, children) = self.jobs[place].clone();
        // What a job enqueues that comes again after its end was told, nothing waits for.
        let children = if self.has_ended(&member) { 0 } else { children };
        let origin = 1 + self.dice.below(2);
        let mut tally = self.new_tally();
        for _ in 0..children {
            let child = self.member(origin);
            tally.announced.unite(&self.announce(std::slice::from_ref(&child)));
            // It may be announced and never sent: then the attempt dies with that, and nobody is at fault for being late.
            self.jobs.push((child, self.dice.below(2) * self.dice.below(2)));
            if self.kills && self.dice.one_in(8) {
                return;
            }
            self.turn();
        }
        tally.ended.add(&member);
        self.tell(tally);
        if self.dice.one_in(8) {
            // Killed before it was deleted: it comes again.
            return;
        }
        self.jobs.retain(|(other, _)| *other != member);
    }

    fn turn(&mut self) {
        for _ in 0..self.dice.below(3) {
            self.look_after();
        }
    }

    /// A worker receives some tallies from the group's beginning, and does what is to be done; it may die at any step.
    fn look_after(&mut self) {
        let there = self.tallies.len().min(10);
        // Some servers hand out one of a group at a time.
        let most = if self.singly { there.min(1) } else { there };
        let count = if self.cuts && there > 0 { 1 + self.dice.below(most) } else { most };
        for one in &mut self.tallies[..count] {
            one.receive_count += 1;
        }
        let received = self.tallies[..count].to_vec();
        if received.is_empty() {
            return;
        }
        let rules = Rules { now_ms: self.now_ms, retention_ms: RETENTION_MS, most_bytes: 200_000 };
        // Others tell something meanwhile, and are killed before their jobs are deleted.
        if self.dice.one_in(4) && !self.jobs.is_empty() && !self.kills {
            let (member, children) = self.jobs[0].clone();
            if children == 0 {
                let mut tally = self.new_tally();
                tally.ended.add(&member);
                self.tell(tally);
                self.jobs.remove(0);
            }
        }
        let worker = self.dice.below(2);
        if self.dice.one_in(32) {
            self.known[worker].clear();
        }
        match Step::of(&received, &self.known[worker], rules) {
            Step::Complete(tally) => {
                self.complete(&tally);
                Known::note(&mut self.known[worker], Known { tally, since_ms: self.now_ms });
                let (holding, others): (Vec<_>, Vec<_>) =
                    received.into_iter().partition(|one| !one.tally.completions.is_empty());
                if self.delete(&holding) {
                    self.delete(&others);
                }
            }
            Step::Merge(tally) => {
                if self.dice.one_in(16) {
                    return;
                }
                self.tell(tally.clone());
                Known::note(&mut self.known[worker], Known { tally, since_ms: self.now_ms });
                self.delete(&received);
            }
            Step::Wait(_) => {}
            Step::Drop => drop(self.delete(&received)),
        }
    }

    fn complete(&mut self, tally: &Tally) {
        assert_eq!(tally.completions.len(), 1);
        let left: Vec<String> =
            self.jobs.iter().filter(|(job, _)| !self.has_ended(job)).map(|(job, _)| job.to_string()).collect();
        assert!(left.is_empty(), "completed before {left:?} had ended");
        self.completed += 1;
    }

    fn has_ended(&self, job: &Member) -> bool {
        let mut only = Members::default();
        only.add(job);
        self.ended.cover(&only)
    }

    /// Deletes these, in any order; `false`, if it died over it.
    fn delete(&mut self, received: &[Received]) -> bool {
        let dies = self.dice.one_in(8);
        let kept: BTreeSet<usize> = (0..received.len()).filter(|_| dies && self.dice.one_in(2)).collect();
        let gone = |one: &Received| received.iter().position(|other| other.receipt == one.receipt);
        self.tallies.retain(|one| gone(one).is_none_or(|place| kept.contains(&place)));
        !dies
    }

    fn play(mut self) -> usize {
        self.enqueue();
        for _ in 0..400 {
            self.now_ms += 1000;
            if self.dice.one_in(2) { self.work() } else { self.look_after() }
        }
        while !self.jobs.is_empty() {
            self.work();
            self.turn();
        }
        for _ in 0..2000 {
            self.look_after();
        }
        assert!(self.completed > 0, "the completion was lost: {:#?}", &self.tallies[..self.tallies.len().min(3)]);
        self.now_ms += 2 * RETENTION_MS;
        for _ in 0..200 {
            self.look_after();
        }
        assert!(self.tallies.is_empty(), "left: {:?}", self.tallies);
        self.completed
    }
}

#[test]
fn a_completion_comes_after_all_jobs_however_tallies_are_cut_and_whoever_dies() {
    let completed: Vec<usize> = (0..200).map(|seed| World::new(seed, true, false).play()).collect();
    let once = completed.iter().filter(|count| **count == 1).count();
    assert!(once > 100, "{once} of 200 came once; a crash may double them");
}

#[test]
fn an_attempt_that_is_killed_after_it_enqueued_keeps_its_jobs_in_the_batch() {
    for seed in 0..200 {
        World::new(seed, false, true).play();
    }
}
