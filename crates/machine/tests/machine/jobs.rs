//! Jobs of the front door: idempotency keys, and what became of a job.

use crate::commands::address;
use crate::script::{Story, check};
use afterward_machine::{Command, JobView, Receive, Reply, Send};
use afterward_names::MessageId;

#[test]
fn a_key_gives_the_first_answer_again_for_a_day_and_refuses_another_body() {
    check(
        "create jobs
         create more
         send jobs a key=k/1 job
         send jobs x key=k/1 job -> same a
         send jobs x key=k/2 job -> refused IdempotencyConflict
         send jobs b key=l/2 job
         send more c key=k/1 job                      // keys are a queue's own
         receive jobs -> a
         delete jobs a
         compact
         +23h
         send jobs x key=k/1 job -> same a
         +1h
         send jobs d key=k/2 job
         counts jobs 2 0 0",
    );
}

#[test]
fn a_jobs_way_can_be_followed() {
    check(
        "create dead
         create jobs dlq=dead:2 visibility=10s
         send jobs a delay=5s job
         job a delayed(0)
         +5s
         job a waiting(0)
         receive jobs -> a
         job a active(1)
         change jobs a 0s failure
         job a waiting(1) failed
         compact
         job a waiting(1) failed
         receive jobs -> a(2)
         change jobs a 5s failure
         job a active(2) failed
         +5s
         receive jobs -> nothing
         job a dead(2) failed
         move dead
         run
         job a waiting(0)                             // by the id of its first life
         receive jobs -> a
         delete jobs a
         job a succeeded(1)
         compact
         +59m
         job a succeeded(1)
         +1m
         job a unknown",
    );
}

#[test]
fn a_job_that_ends_otherwise_is_forgotten() {
    check(
        "create dead
         create jobs dlq=dead:1 visibility=1s retention=60s
         send jobs a job
         send jobs b job
         send jobs c
         job c waiting(0)                             // as any message
         receive jobs max=3 -> a b c
         job c active(1)
         delete jobs c
         job c unknown                                // not taken in as a job
         +1s
         receive jobs -> nothing
         receive dead -> a(2)
         delete dead a
         job a unknown                                // given up, not done
         send jobs d job
         +60s
         job d unknown
         purge dead
         job b unknown",
    );
}

#[test]
fn a_job_that_is_dropped_is_not_done() {
    check(
        "create dead
         create jobs dlq=dead:1 visibility=10s
         create mail
         create fifo.fifo visibility=10s
         send jobs a job
         send jobs b job
         send jobs c
         send mail d job
         send fifo.fifo e group=g id=e job
         receive jobs max=3 -> a b c
         receive mail -> d
         receive fifo.fifo -> e
         discard jobs a
         discard jobs c
         discard mail d
         counts jobs 0 0 1
         job a dropped(1)
         job c unknown                                // not taken in as a job
         drop mail
         compact
         job a dropped(1)
         job d dropped(1)
         delete jobs a                                // once more is well, and nothing
         compact
         job a dropped(1)
         +10s
         discard fifo.fifo e -> refused LeaseExpired
         job e waiting(1)
         receive jobs -> nothing
         receive dead -> b(2)
         discard dead b
         job b unknown                                // as when it is deleted there
         compact
         +1h
         job a unknown
         job d unknown",
    );
}

#[test]
fn the_end_of_a_job_outlives_its_queue() {
    let mut story = Story::new();
    story.tell(
        "create jobs
         create other/jobs
         send jobs a job
         send other/jobs b job
         send jobs c job
         receive jobs -> a
         receive other/jobs -> b
         delete jobs a
         delete other/jobs b
         compact
         drop jobs                                    // and what was not done is gone with it
         drop other/jobs
         +2m
         create jobs",
    );
    let of = |story: &Story, label: &str| match story.world.state.job(story.id(label)) {
        Some(JobView::Succeeded { receive_count: 1, address, .. }) => address,
        other => panic!("{label}: {other:?}"),
    };
    for _ in 0..3 {
        assert_eq!((of(&story, "a"), of(&story, "b")), (address("jobs"), address("other/jobs")));
        story.tell("job c unknown\ncompact");
    }
    story.tell("+58m\njob a unknown\njob b unknown");
    story.end();
}

#[test]
fn of_each_account_a_hundred_thousand_finished_jobs_are_remembered() {
    let mut story = Story::new();
    story.tell("create jobs\ncreate mail\ncreate other/jobs");
    let end_one = |story: &mut Story, name: &str| {
        let queue = address(name);
        let send = Send {
            queue: queue.clone(),
            size_bytes: 1,
            delay_ms: None,
            group: None,
            dedup: None,
            job: true,
            batch: None,
        };
        let receive = Receive { queue: queue.clone(), max: 1, visibility_timeout_ms: None, attempt: None };
        let Ok(Reply::Sent { id, .. }) = story.world.run(&Command::Send(send)) else { panic!() };
        let Ok(Reply::Received { deliveries, .. }) = story.world.run(&Command::Receive(receive)) else { panic!() };
        story.world.run(&Command::Delete { queue, lease: deliveries[0].lease }).unwrap();
        story.world.advance(1);
        id
    };
    let others = end_one(&mut story, "other/jobs");
    let ids: Vec<MessageId> =
        (0..100_001).map(|number| end_one(&mut story, if number % 2 == 0 { "jobs" } else { "mail" })).collect();
    let known = |id| story.world.state.job(id).is_some();
    assert_eq!((known(ids[0]), known(ids[1]), known(ids[100_000])), (false, true, true));
    assert!(known(others), "one account's jobs have pushed out another's");
    story.world.advance(3_600_000);
    assert!(!ids.into_iter().chain([others]).any(|id| story.world.state.job(id).is_some()));
}
