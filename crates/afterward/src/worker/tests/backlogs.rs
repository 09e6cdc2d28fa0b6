//! Backlogs of limited and paused messages, many times what a worker lets wait: they are worked on as fast as their limit allows,
//! at a cost in proportion, and hold up nobody else. On a queue that hands out again what was given back.

use super::stage::message;
use super::*;
use crate::handler;
use tokio::time::Instant;

const BACKLOG: usize = 600;

/// Work for a twentieth of a second.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "step")]
struct Step {
    tenant: u32,
}

async fn step(_: Step) {
    sleep(Duration::from_millis(50)).await;
}

/// A queue with a backlog of steps.
fn backlog(counts_attempts: bool) -> Stage {
    let stage = Stage::new((0..BACKLOG).map(|n| message(&format!("s{n}"), &body("step", Step { tenant: 1 }))));
    stage.hand_out_again();
    stage.set_redrive(3);
    if counts_attempts {
        stage.count_attempts();
    }
    stage
}

/// Enqueues a nap of no length every two seconds.
async fn enqueue_naps(stage: Stage) {
    for n in 0.. {
        sleep(Duration::from_secs(2)).await;
        stage.add(message(&format!("n{}", 2 * (n + 1)), &body("nap", 0)));
    }
}

/// Waits until so many steps are done.
async fn until_done(stage: &Stage, steps: usize) {
    while steps_done(stage) < steps {
        stage.done(stage.count(|_| true) + 1).await;
    }
}

fn steps_done(stage: &Stage) -> usize {
    stage.count(|deed| matches!(deed, Deed::Deleted { id, .. } if id.starts_with('s')))
}

/// How often a message was handed back.
fn handed_back(stage: &Stage) -> usize {
    stage.count(|deed| matches!(deed, Deed::HandedBack { .. }))
}

/// Whether each nap that was enqueued before this was done within two seconds; they are named after when they were enqueued.
fn are_prompt(stage: &Stage, before_s: u64) -> bool {
    let mut naps = stage.deeds().into_iter().filter_map(|deed| match deed {
        Deed::Deleted { id, at_s } => Some((id.strip_prefix('n')?.parse::<u64>().unwrap(), at_s)),
        _ => None,
    });
    naps.all(|(enqueued, done)| enqueued >= before_s || done <= enqueued + 1)
}

/// A worker of steps and naps, and one of steps alone; and within how many seconds 600 steps can be done.
type Case = (&'static str, fn(Stage) -> Worker<Stage>, u64);

const CASES: [Case; 5] = [
    ("a type at a time", |stage| Worker::new(stage).on(handler(step).concurrency(2)).on(nap), 15),
    ("a key at a time", |stage| Worker::new(stage).on(handler(step).limit_by(|step| step.tenant, 2)).on(nap), 15),
    ("a type's rate", |stage| Worker::new(stage).on(handler(step).rate(50, Duration::from_secs(1))).on(nap), 12),
    (
        "a key's rate",
        |stage| Worker::new(stage).on(handler(step).rate_by(|step| step.tenant, 50, Duration::from_secs(1))).on(nap),
        12,
    ),
    ("a rate of all", |stage| Worker::new(stage).rate(50, Duration::from_secs(1)).on(step), 12),
];

#[tokio::test(start_paused = true)]
async fn a_limited_backlog_is_worked_on_at_its_limit_and_holds_up_nobody() {
    for counts_attempts in [true, false] {
        for (limit, worker, ideal_s) in CASES {
            let stage = backlog(counts_attempts);
            let start = Instant::now();
            let naps = tokio::spawn(enqueue_naps(stage.clone()));
            let (watched, all_of_it) = (stage.clone(), limit == "a rate of all");
            if all_of_it {
                naps.abort();
            }
            worker(stage.clone()).stop_on(async move { until_done(&watched, BACKLOG).await }).run().await.unwrap();
            naps.abort();
            let case = format!("{limit}, attempts counted: {counts_attempts}");
            let (took_s, away, receives) = (start.elapsed().as_secs(), handed_back(&stage), stage.limits().len());
            assert!(took_s <= ideal_s + ideal_s / 10 + 1, "{case}: took {took_s} s");
            assert!(are_prompt(&stage, u64::MAX), "{case}");
            assert!(away <= 8 * BACKLOG && receives <= 2 * BACKLOG, "{case}: {away} sent away in {receives} receives");
            assert!(away == 0 || counts_attempts, "{case}: each costs a receive of three");
            assert!(
                !all_of_it || (away == 0 && receives <= BACKLOG / 8),
                "{case}: {away} sent away in {receives} receives"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_backlog_holds_up_nobody_and_is_worked_on_soon_after() {
    for counts_attempts in [true, false] {
        let stage = backlog(counts_attempts);
        let naps = tokio::spawn(enqueue_naps(stage.clone()));
        let worker = Worker::new(stage.clone()).on(step).on(nap);
        let handle = worker.handle();
        handle.pause_type(Step::TYPE);
        let watched = stage.clone();
        let steering = async move {
            sleep(Duration::from_secs(60)).await;
            assert_eq!(steps_done(&watched), 0, "nothing of it is begun");
            let away = handed_back(&watched);
            assert!(away <= 6 * BACKLOG + 60 * 200, "to ask costs little: {away} times");
            handle.resume_type(Step::TYPE);
            // Ten at a time, 200 a second.
            let resumed = Instant::now();
            until_done(&watched, BACKLOG).await;
            let took_s = resumed.elapsed().as_secs();
            assert!(took_s <= 6, "attempts counted: {counts_attempts}: took {took_s} s");
        };
        worker.stop_on(steering).run().await.unwrap();
        naps.abort();
        assert!(are_prompt(&stage, 60), "attempts counted: {counts_attempts}");
    }
}
