//! Nothing leaves before the log has what it rests on.

use crate::rig::{Calls, Rig, a_receive, a_send, bodies, content, held, now, once_back, refused, sent, until};
use afterward_broker::{
    Failure,
    machine::{Command, Refusal},
};
use afterward_log::memory::Fault;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_is_answered_when_it_is_flushed_and_not_before() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.log.hold();
    let broker = rig.broker.clone();
    let sending = tokio::spawn({
        let queue = queue.clone();
        async move { broker.try_send(a_send(&queue), "hello").await }
    });
    held(&rig.log, 1).await;
    assert!(!sending.is_finished());
    rig.log.release();
    assert!(sent(sending.await.unwrap()));
    assert_eq!(bodies(&rig.take(&queue, 1, 0).await), ["hello"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_and_reads_and_empty_receives_wait_for_what_they_rest_on() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let broker = &rig.broker;
    rig.log.hold();
    let deleting = tokio::spawn({
        let (broker, queue) = (broker.clone(), queue.clone());
        async move { broker.execute(Command::DeleteQueue { queue }).await }
    });
    held(&rig.log, 1).await;

    // The queue is gone for whoever looks, but that is not on disk yet: each of these would tell too much.
    let mut refusal = Box::pin(broker.try_send(a_send(&queue), "late"));
    let mut read = Box::pin(broker.read(|state| state.all_queues().count()));
    let mut receive = Box::pin(broker.try_receive(&queue, 1, 0));
    assert!(now(&mut refusal).is_none());
    assert!(now(&mut read).is_none());
    assert!(now(&mut receive).is_none());

    rig.log.release();
    deleting.await.unwrap().unwrap();
    assert_eq!(refused(refusal.await), Some(Refusal::NoSuchQueue));
    assert_eq!(read.await.unwrap(), 0);
    assert_eq!(receive.await, Err(Failure::Refused(Refusal::NoSuchQueue)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nothing_unflushed_refusals_reads_and_empty_receives_are_answered_at_once() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.log.hold();
    assert_eq!(now(rig.broker.read(|state| state.all_queues().count())), Some(Ok(1)));
    assert_eq!(now(rig.broker.try_receive(&queue, 1, 0)), Some(Ok(Vec::new())));
    let missing = Command::DeleteQueue { queue: crate::rig::address("missing") };
    assert_eq!(now(rig.broker.execute(missing)).and_then(refused), Some(Refusal::NoSuchQueue));
    rig.log.release();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_receive_waits_for_the_lease_that_emptied_the_queue() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "one").await;
    rig.log.hold();
    let mut first = Box::pin(rig.broker.try_receive(&queue, 1, 0));
    assert!(now(&mut first).is_none());
    let mut second = Box::pin(rig.broker.try_receive(&queue, 1, 0));
    assert!(now(&mut second).is_none());
    rig.log.release();
    assert_eq!(bodies(&first.await.unwrap()), ["one"]);
    assert!(second.await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_share_flushes() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let before = rig.broker.metrics();
    rig.log.hold();
    let senders: Vec<_> = (0..200)
        .map(|n| {
            let (broker, queue) = (rig.broker.clone(), queue.clone());
            tokio::spawn(async move { broker.try_send(a_send(&queue), &n.to_string()).await })
        })
        .collect();
    // One flush is under way, and everybody has sent.
    until("all have sent", || rig.broker.metrics().sent == before.sent + 200).await;
    rig.log.release();
    for sender in senders {
        assert!(sent(sender.await.unwrap()));
    }
    let flushes = rig.broker.metrics().flushes - before.flushes;
    assert!((1..=3).contains(&flushes), "{flushes} flushes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_one_flush_and_each_entry_has_its_own_outcome() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let before = rig.broker.metrics().flushes;
    let missing = crate::rig::address("missing");
    let sends = vec![(a_send(&queue), content("a")), (a_send(&missing), content("b")), (a_send(&queue), content("c"))];
    let outcomes = rig.broker.send(sends).await.unwrap();
    assert_eq!(outcomes[1], Err(Refusal::NoSuchQueue));
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(rig.broker.metrics().flushes, before + 1);
    let mut found = bodies(&rig.take(&queue, 10, 0).await);
    found.sort();
    assert_eq!(found, ["a", "c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_append_callers_are_told_and_nothing_acknowledged_is_lost() {
    for fault in [Fault::Reject, Fault::UnknownLost, Fault::UnknownWritten, Fault::UnknownLate] {
        let rig = Rig::new();
        let queue = rig.standard("q").await;
        rig.put(&queue, "acknowledged").await;
        let empty = rig.standard("empty").await;
        let waiting = rig.waiting(&empty, 1).await;

        rig.log.hold();
        rig.log.fail_next(fault);
        let failing = tokio::spawn({
            let (broker, queue) = (rig.broker.clone(), queue.clone());
            async move { broker.try_send(a_send(&queue), "unlucky").await }
        });
        held(&rig.log, 1).await;
        // It gathers behind the batch that is about to fail.
        let mut behind = Box::pin(rig.broker.try_send(a_send(&queue), "behind it"));
        assert!(now(&mut behind).is_none());
        rig.log.release();

        for outcome in [failing.await.unwrap(), behind.await] {
            let Err(Failure::Unavailable(why)) = outcome else { panic!("{fault:?}: {outcome:?}") };
            assert!(why.reason.contains("injected"), "{fault:?}: {why}");
        }
        assert!(matches!(waiting.await.unwrap(), Err(Failure::Unavailable(_))), "{fault:?}");

        let found = once_back(&rig.broker, async |broker| broker.take(&queue, 10, 0).await).await;
        let found = bodies(&found);
        assert!(found.contains(&"acknowledged".to_owned()), "{fault:?}: {found:?}");
        assert!(!found.contains(&"behind it".to_owned()), "{fault:?}: {found:?}");
        assert_eq!(found.contains(&"unlucky".to_owned()), fault == Fault::UnknownWritten, "{fault:?}: {found:?}");
        assert_eq!(rig.broker.metrics().reopened, 1, "{fault:?}");
        // What arrives late is too late: another epoch has begun.
        rig.log.deliver_late();
        rig.put(&queue, "again").await;
        assert_eq!(rig.broker.metrics().messages, found.len() as u64 + 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_log_can_t_be_written_calls_fail_at_once_and_say_why() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    for _ in 0..3 {
        rig.log.fail_next(Fault::Reject);
    }
    let first = rig.try_send(a_send(&queue), "lost").await;
    assert!(matches!(first, Err(Failure::Unavailable(_))), "{first:?}");
    // Down, until the second attempt to claim the log succeeds.
    let down = now(rig.broker.try_receive(&queue, 1, 0));
    assert!(matches!(&down, Some(Err(Failure::Unavailable(why))) if why.reason.contains("no room")), "{down:?}");
    assert!(rig.broker.trouble().is_some_and(|reason| reason.contains("no room")));
    let received = once_back(&rig.broker, async |broker| {
        assert!(broker.put(&queue, "kept").await.redrives() == 0);
        broker.take(&queue, 10, 0).await
    });
    assert_eq!(bodies(&received.await), ["kept"]);
    assert_eq!(rig.broker.trouble(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_wait_for_room_when_flushes_fall_behind() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.log.hold();
    let large = "x".repeat(1 << 20);
    let tried = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..24)
        .map(|_| {
            let (broker, queue, large, tried) = (rig.broker.clone(), queue.clone(), large.clone(), tried.clone());
            tokio::spawn(async move {
                let mut call = Box::pin(broker.try_send(a_send(&queue), &large));
                assert!(now(&mut call).is_none());
                tried.fetch_add(1, SeqCst);
                call.await
            })
        })
        .collect();
    until("all have tried", || tried.load(SeqCst) == 24).await;
    // One batch is under way, of nine messages at the most, and eight are behind it; the others wait outside.
    let inside = rig.broker.metrics().sent;
    assert!((9..=8 + 9).contains(&inside), "{inside} have been let in");
    rig.log.release();
    for sender in senders {
        assert!(sent(sender.await.unwrap()));
    }
    let mut found = 0;
    loop {
        let some = rig.broker.receive(a_receive(&queue, 10), None).await.unwrap();
        if some.is_empty() {
            break;
        }
        found += some.len();
    }
    assert_eq!(found, 24);
}
