//! Jobs of the front door: idempotency keys, and what became of a job.

use crate::script::{Story, check};
use afterward_machine::{Command, Reply, Send};

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
fn a_hundred_thousand_finished_jobs_are_remembered() {
    let mut story = Story::new();
    story.tell("create jobs");
    let queue = crate::script::address("jobs");
    let send =
        Send { queue: queue.clone(), size_bytes: 1, delay_ms: None, group: None, dedup: None, job: true, batch: None };
    let receive =
        afterward_machine::Receive { queue: queue.clone(), max: 1, visibility_timeout_ms: None, attempt: None };
    let mut ids = Vec::new();
    for _ in 0..100_001 {
        let Ok(Reply::Sent { id, .. }) = story.world.run(&Command::Send(send.clone())) else { panic!() };
        let Ok(Reply::Received { deliveries, .. }) = story.world.run(&Command::Receive(receive.clone())) else {
            panic!()
        };
        story.world.run(&Command::Delete { queue: queue.clone(), lease: deliveries[0].lease }).unwrap();
        ids.push(id);
        story.world.advance(1);
    }
    let known = |id| story.world.state.job(id).is_some();
    assert_eq!((known(ids[0]), known(ids[1]), known(ids[100_000])), (false, true, true));
}
