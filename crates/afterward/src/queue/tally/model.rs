//! A batch in a model of a FIFO group: jobs that have more jobs, workers that die between any two steps, tallies that are
//! received in any portions, told twice, and deleted by halves. The completion must never come while a job is in the queue, and
//! must come when none is.

use super::{
    dice::Dice,
    member::{Member, Members},
    past::Past,
    record::Tally,
    step::{Known, Received, Rules, Step},
};
use crate::sqs::SendMessageRequest;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const RETENTION_MS: u64 = 4 * 86_400_000;
/// How long the tallies of one who died are out of sight.
const LEASE: Duration = Duration::from_secs(30);
/// How late a completion may be: where tallies are handed out one at a time, and many are left by workers that died.
const PATIENCE_MS: u64 = 180_000;
/// The same for one that is sent when all is quiet: it lets others pass that have waited for long, and wait long.
const LONG_PATIENCE_MS: u64 = 600_000;
/// How long tallies may be left that nothing waits for: an hour, and some rounds.
const LONGEST_LEFT_MS: u64 = 3_700_000;

/// One batch: its jobs in the work queue, its tallies in the tally queue, and what came of it.
struct World {
    dice: Dice,
    now_ms: u64,
    /// Jobs that are in the work queue, with how many more each will have.
    jobs: Vec<(Member, usize)>,
    next: [u64; 3],
    tallies: Vec<Received>,
    sent: u64,
    /// How often each message came that waited.
    completed: BTreeMap<String, usize>,
    /// Jobs whose end was told: they may still be there, and come again, as at-least-once has it.
    ended: Members,
    /// What each of the workers remembers.
    known: Vec<Vec<Known>>,
    past: Vec<Past>,
    /// Until when no tally is handed out, for some are out of sight.
    blocked_until_ms: u64,
    /// Whether a receive may bring less than there is.
    cuts: bool,
    /// Whether it brings one at a time.
    singly: bool,
    /// Whether nobody is killed any more.
    is_calm: bool,
    /// Whether all jobs are over as soon as can be, and the batch with them.
    is_busy: bool,
    /// Whether attempts may die that have announced jobs.
    kills: bool,
    /// Whether a worker that has sent a message stops as soon as it has dropped a tally, if it knows of another that waits.
    stops: bool,
    /// The worker that would.
    stopping: Option<usize>,
    /// When each message of a FIFO queue was taken last, by its origin, which stands for its id; `None`: it is a standard queue.
    taken: Option<BTreeMap<String, u64>>,
    /// The longest text of a tally.
    most_bytes: usize,
    /// The text of each message that waits for the batch.
    waiting: Vec<String>,
    /// What the program enqueued.
    roots: Members,
    /// Whether somebody knew that the batch was over when one more message was to wait for it.
    is_remembered: bool,
    /// For how long tallies were left after all had come that waited.
    left_ms: u64,
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
            completed: BTreeMap::new(),
            ended: Members::default(),
            known: vec![Vec::new(); 1 + seed as usize / 3 % 3],
            past: (0..1 + seed / 3 % 3).map(|_| Past::default()).collect(),
            blocked_until_ms: 0,
            cuts,
            singly: seed.is_multiple_of(3),
            kills,
            stops: false,
            stopping: None,
            is_calm: false,
            is_busy: false,
            taken: None,
            most_bytes: 200_000,
            waiting: vec!["{}".to_owned()],
            roots: Members::default(),
            is_remembered: false,
            left_ms: 0,
        }
    }

    /// One with several completions, where tallies are handed out one at a time.
    fn several(seed: u64) -> World {
        World { singly: true, waiting: vec!["{}".to_owned(); 3], ..World::new(seed, true, false) }
    }

    /// The same with two workers, one of which stops when it has sent something and others wait.
    fn stopping(seed: u64, waiting: usize) -> World {
        World {
            stops: true,
            waiting: vec!["{}".to_owned(); waiting],
            known: vec![Vec::new(); 2],
            past: vec![Past::default(), Past::default()],
            ..World::several(seed)
        }
    }

    /// The same, where little fits into a tally, and this waits.
    fn narrow(seed: u64, most_bytes: usize, waiting: &[usize]) -> World {
        let waiting = waiting.iter().map(|bytes| "x".repeat(*bytes)).collect();
        World { most_bytes, waiting, ..World::new(seed, true, false) }
    }

    fn member(&mut self, origin: usize) -> Member {
        self.next[origin] += 1;
        Member { batch: "b".into(), origin: format!("o{origin}"), index: self.next[origin] - 1 }
    }

    /// One of a FIFO queue, where attempts die.
    fn in_order(seed: u64) -> World {
        World { taken: Some(BTreeMap::new()), ..World::new(seed, false, true) }
    }

    /// The key of the child of this number. In a FIFO queue each attempt enqueues it with the same id.
    fn child(&mut self, parent: &Member, number: usize, origin: usize) -> Member {
        match self.taken {
            None => self.member(origin),
            Some(_) => Member::of_id("b", &format!("{}-{}-{number}", parent.origin, parent.index), self.now_ms),
        }
    }

    /// Whether the queue takes a message, and not for one that it took before.
    fn takes(&mut self, member: &Member) -> bool {
        let Some(taken) = &mut self.taken else { return true };
        if taken.get(&member.origin).is_some_and(|since_ms| self.now_ms < since_ms + 300_000) {
            return false;
        }
        taken.insert(member.origin.clone(), self.now_ms);
        true
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
        self.roots = roots;
        for (number, body) in self.waiting.clone().into_iter().enumerate() {
            self.then(number, body);
        }
    }

    /// A message is to wait for the batch.
    fn then(&mut self, number: usize, body: String) {
        let mut tally = self.new_tally();
        tally.announced = self.roots.clone();
        let request = SendMessageRequest { message_body: body, ..Default::default() };
        tally.completions.insert(format!("done {number}"), request);
        self.tell(tally);
    }

    /// Until each has come that waits, or too late.
    fn wait_for_completions(&mut self, patience_ms: u64) {
        let until_ms = self.now_ms + patience_ms;
        while self.completed.len() < self.waiting.len() && self.now_ms < until_ms {
            self.now_ms += if self.is_busy { 10 } else { 100 };
            self.look_after();
        }
    }

    /// One more message is to wait, long after the batch was over: it need not, if a worker is at work that saw it.
    fn ask_again(&mut self) {
        for _ in 0..360 {
            self.now_ms += 5000;
            self.look_after();
        }
        // Who has seen it is not to stop: nobody else knows.
        self.stops = false;
        let (number, body) = (self.waiting.len(), "again".to_owned());
        self.waiting.push(body.clone());
        self.then(number, body);
        self.is_remembered = self.past.iter().any(|past| past.of("b").cover(&self.roots));
        self.wait_for_completions(LONG_PATIENCE_MS);
        assert!(!self.is_remembered || self.completed.len() == self.waiting.len(), "what was asked for again is late");
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
        for number in 0..children {
            let child = self.child(&member, number, origin);
            tally.announced.unite(&self.announce(std::slice::from_ref(&child)));
            // It may be announced and never sent: then the attempt dies with that, and nobody is at fault for being late.
            if self.takes(&child) {
                self.jobs.push((child, self.dice.below(2) * self.dice.below(2)));
            } else if self.dice.one_in(2) {
                // Long after: then it is taken again.
                self.now_ms += 200_000;
            }
            if self.kills && self.dice.one_in(8) {
                return;
            }
            self.turn();
        }
        tally.ended.add_ended(&member);
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
        if self.now_ms < self.blocked_until_ms {
            return;
        }
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
        let rules = Rules { now_ms: self.now_ms, retention_ms: RETENTION_MS, most_bytes: self.most_bytes };
        // Others tell something meanwhile, and are killed before their jobs are deleted.
        if self.dice.one_in(4) && !self.jobs.is_empty() && !self.kills {
            let (member, children) = self.jobs[0].clone();
            if children == 0 {
                let mut tally = self.new_tally();
                tally.ended.add_ended(&member);
                self.tell(tally);
                self.jobs.remove(0);
            }
        }
        let worker = self.dice.below(self.known.len());
        if self.dies(32) {
            self.forget(worker);
        }
        let now_ms = self.now_ms;
        let there = |tally: Tally| Known::new(tally, now_ms);
        received.iter().for_each(|one| Known::learn(&mut self.known[worker], &one.tally));
        let step = Step::of(&received, &self.known[worker], &self.past[worker].of("b"), rules);
        let drops = step == Step::Drop;
        match step {
            Step::Complete { over, rest } => {
                self.complete(&over);
                if !self.put(&rest) {
                    return;
                }
                let rest = rest.into_iter().map(there);
                self.know(worker, [Known::over(over, now_ms)].into_iter().chain(rest).collect());
                let (holding, others): (Vec<_>, Vec<_>) =
                    received.into_iter().partition(|one| !one.tally.completions.is_empty());
                if self.delete(&holding) {
                    self.delete(&others);
                }
                self.stopping = Some(worker);
            }
            Step::Merge(parts) => {
                if self.put(&parts) {
                    self.know(worker, parts.into_iter().map(there).collect());
                    self.delete(&received);
                }
            }
            Step::Wait(wait) => {
                self.block(wait);
                self.know(worker, received.into_iter().map(|one| there(one.tally)).collect());
            }
            Step::Drop => drop(self.delete(&received)),
        }
        if self.stops && drops && self.stopping == Some(worker) && self.knows_of_more(worker) {
            self.stopping = None;
            self.forget(worker);
        }
    }

    /// Another process takes a worker's place, and knows nothing of what it knew.
    fn forget(&mut self, worker: usize) {
        self.known[worker].clear();
        self.past[worker] = Past::default();
    }

    /// Whether a worker knows of a message that has not come.
    fn knows_of_more(&self, worker: usize) -> bool {
        let waits = |known: &Known| known.tally.completions.keys().any(|id| !self.completed.contains_key(id));
        self.known[worker].iter().any(waits)
    }

    /// Whether a worker is killed here, as one in so many.
    fn dies(&mut self, one_in: usize) -> bool {
        self.dice.one_in(one_in) && !self.is_calm
    }

    /// What was received is out of sight for so long, and its group with it.
    fn block(&mut self, wait: Duration) {
        self.blocked_until_ms = self.now_ms + u64::try_from(wait.as_millis()).unwrap();
    }

    /// Puts merged tallies at the group's end; `false`, if it died over it.
    fn put(&mut self, parts: &[Tally]) -> bool {
        let lives = parts.iter().all(|part| {
            let dies = self.dies(16);
            if !dies {
                self.tell(part.clone());
            }
            !dies
        });
        if !lives {
            self.block(LEASE);
        }
        lives
    }

    fn know(&mut self, worker: usize, new: Vec<Known>) {
        new.iter().for_each(|new| self.past[worker].note("b", &new.tally, self.now_ms));
        let now_ms = self.now_ms;
        self.known[worker].retain(|known| known.is_of_use(now_ms));
        Known::note(&mut self.known[worker], new);
    }

    fn complete(&mut self, tally: &Tally) {
        assert!(!tally.completions.is_empty());
        let left: Vec<String> =
            self.jobs.iter().filter(|(job, _)| !self.has_ended(job)).map(|(job, _)| job.to_string()).collect();
        assert!(left.is_empty(), "completed before {left:?} had ended");
        for (id, request) in &tally.completions {
            assert!(self.waiting.contains(&request.message_body), "{id} is not as it was told");
            *self.completed.entry(id.clone()).or_default() += 1;
        }
    }

    fn has_ended(&self, job: &Member) -> bool {
        let mut only = Members::default();
        only.add(job);
        self.ended.cover(&only)
    }

    /// Deletes these, in any order; `false`, if it died over it.
    fn delete(&mut self, received: &[Received]) -> bool {
        let dies = self.dies(8);
        let kept: BTreeSet<usize> = (0..received.len()).filter(|_| dies && self.dice.one_in(2)).collect();
        let gone = |one: &Received| received.iter().position(|other| other.receipt == one.receipt);
        self.tallies.retain(|one| gone(one).is_none_or(|place| kept.contains(&place)));
        if dies && !kept.is_empty() {
            self.block(LEASE);
        }
        !dies
    }

    fn play(mut self) -> World {
        self.enqueue();
        let step_ms = if self.is_busy { 10 } else { 1000 };
        for _ in 0..if self.is_busy { 0 } else { 400 } {
            self.now_ms += step_ms;
            if self.dice.one_in(2) { self.work() } else { self.look_after() }
        }
        while !self.jobs.is_empty() {
            self.now_ms += step_ms;
            self.work();
            self.turn();
        }
        self.is_calm = true;
        self.wait_for_completions(PATIENCE_MS);
        let came = self.completed.len();
        let of_jobs = |one: &Received| (one.tally.announced.clone(), one.tally.ended.clone());
        let left: Vec<_> = self.tallies.iter().map(of_jobs).collect();
        assert_eq!(came, self.waiting.len(), "some were lost beside {left:?}");
        let since_ms = self.now_ms;
        while !self.tallies.is_empty() && self.now_ms - since_ms < LONGEST_LEFT_MS {
            self.now_ms += 100;
            self.look_after();
        }
        self.left_ms = self.now_ms - since_ms;
        self.ask_again();
        self.now_ms += 2 * RETENTION_MS;
        for _ in 0..200 {
            self.now_ms += 60_000;
            self.look_after();
        }
        assert!(self.tallies.is_empty(), "left: {:?}", self.tallies);
        assert_eq!(self.completed.len(), self.waiting.len());
        self
    }
}

#[test]
fn a_completion_comes_after_all_jobs_however_tallies_are_cut_and_whoever_dies() {
    let played: Vec<World> = (0..200).map(|seed| World::new(seed, true, false).play()).collect();
    let once = played.iter().filter(|world| world.completed["done 0"] == 1).count();
    assert!(once > 100, "{once} of 200 came once; a crash may double them");
    let remembered = played.iter().filter(|world| world.is_remembered).count();
    assert!(remembered > 100, "{remembered} of 200 were remembered; who sees that it is over may die");
}

#[test]
fn several_completions_come_where_tallies_are_handed_out_one_at_a_time() {
    let played: Vec<World> = (0..200).map(|seed| World::several(seed).play()).collect();
    let once = played.iter().filter(|world| world.completed.values().all(|count| *count == 1)).count();
    assert!(once > 100, "{once} of 200 came once each; a crash may double them");
}

#[test]
fn what_two_workers_leave_for_each_other_goes_when_both_have_sent_something() {
    for waiting in [2, 3] {
        for seed in 0..200 {
            let world = World { stops: false, is_calm: true, is_busy: true, ..World::stopping(seed, waiting) };
            let left_ms = world.play().left_ms;
            assert!(left_ms < 60_000, "seed {seed} with {waiting}: tallies were left for {left_ms} ms");
        }
    }
}

#[test]
fn who_has_sent_one_message_and_stops_takes_nothing_from_those_that_wait() {
    // In those by number, it had dropped what it had left in the queue for their sake.
    for seed in (0..40).chain([170, 568, 972, 1455]) {
        World::stopping(seed, 3).play();
    }
    for seed in (0..40).chain([831, 1798]) {
        World::stopping(seed, 2).play();
    }
}

#[test]
fn what_does_not_fit_into_one_tally_comes_as_well() {
    // In the last of these, a message that waits needs what others knew that came before it.
    for seed in (0..20).chain([146]) {
        // What is known of the jobs fits beside each of those that wait, but those do not fit together.
        World::narrow(seed, 1500, &[400; 5]).play();
        World::narrow(seed, 1500, &[700; 12]).play();
        World::narrow(seed, 1000, &[300; 6]).play();
    }
    for seed in 0..60 {
        // Nor does what is known of the jobs, as long as they have not ended.
        World::narrow(seed, 330, &[10]).play();
    }
}

#[test]
fn an_attempt_that_is_killed_after_it_enqueued_keeps_its_jobs_in_the_batch() {
    for seed in 0..200 {
        World::new(seed, false, true).play();
    }
}

#[test]
fn a_job_that_a_fifo_queue_took_before_ends_with_the_one_that_it_took() {
    for seed in 0..200 {
        World::in_order(seed).play();
    }
}
