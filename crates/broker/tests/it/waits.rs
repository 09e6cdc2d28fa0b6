//! A waiting receive wakes the moment a message becomes visible, whatever made it visible.

use crate::rig::{Calls, Rig, START_MS, a_receive, a_send, bodies, change, content, held, now, queue_id, until};
use afterward_broker::{
    Broker, Failure, Settings, SystemClock,
    machine::{Batched, Command, Refusal, Send, StartMove},
};
use afterward_names::QueueArn;
use std::{sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_wakes_one_waiter_in_the_order_of_arrival() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let first = rig.waiting(&queue, 1).await;
    let second = rig.waiting(&queue, 1).await;
    rig.put(&queue, "one").await;
    assert_eq!(bodies(&first.await.unwrap().unwrap()), ["one"]);
    assert!(!second.is_finished());
    rig.put(&queue, "two").await;
    assert_eq!(bodies(&second.await.unwrap().unwrap()), ["two"]);
    assert_eq!(rig.broker.metrics().waiting_receives, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waiter_is_served_in_the_batch_of_the_send_that_woke_it() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = rig.waiting(&queue, 1).await;
    let before = rig.broker.metrics().flushes;
    rig.put(&queue, "one").await;
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["one"]);
    assert_eq!(rig.broker.metrics().flushes, before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_goes_to_those_who_wait_as_far_as_each_has_asked_for() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = [rig.waiting(&queue, 3).await, rig.waiting(&queue, 2).await, rig.waiting(&queue, 10).await];
    let sends = ["1", "2", "3", "4", "5"].map(|body| (a_send(&queue), content(body)));
    for sent in rig.broker.send(sends.into()).await.unwrap() {
        sent.unwrap();
    }
    let [first, second, third] = waiting;
    assert_eq!(bodies(&first.await.unwrap().unwrap()), ["1", "2", "3"]);
    assert_eq!(bodies(&second.await.unwrap().unwrap()), ["4", "5"]);
    assert!(!third.is_finished());
    rig.put(&queue, "6").await;
    assert_eq!(bodies(&third.await.unwrap().unwrap()), ["6"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_is_not_told_before_the_send_and_its_lease_are_flushed() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = rig.waiting(&queue, 1).await;
    rig.log.hold();
    let sending = tokio::spawn({
        let (broker, queue) = (rig.broker.clone(), queue.clone());
        async move { broker.put(&queue, "one").await }
    });
    held(&rig.log, 1).await;
    assert!(!waiting.is_finished());
    rig.log.release();
    sending.await.unwrap();
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_delay_wakes_a_waiter() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.try_send(Send { delay_ms: Some(10_000), ..a_send(&queue) }, "later").await.unwrap();
    let waiting = rig.waiting(&queue, 1).await;
    rig.clock.advance(Duration::from_millis(9_999));
    assert_eq!(rig.broker.read(|state| state.now_ms()).await.unwrap(), START_MS + 9_999);
    assert!(!waiting.is_finished());
    rig.clock.advance(Duration::from_millis(1));
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["later"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_lease_wakes_a_waiter() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "again").await;
    let mut receive = a_receive(&queue, 1);
    receive.visibility_timeout_ms = Some(5_000);
    rig.broker.receive(receive, None).await.unwrap();
    let waiting = rig.waiting(&queue, 1).await;
    rig.clock.advance(Duration::from_secs(5));
    let again = waiting.await.unwrap().unwrap();
    assert_eq!(again[0].delivery.receive_count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_given_back_wakes_a_waiter() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "back").await;
    let lease = rig.take(&queue, 1, 0).await[0].delivery.lease;
    let waiting = rig.waiting(&queue, 1).await;
    rig.release(&queue, lease, 0).await;
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["back"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_message_wakes_who_waits_for_the_next_of_its_group() {
    let rig = Rig::new();
    let queue = rig.fifo("q.fifo").await;
    rig.send_in_group(&queue, "g", "one").await;
    rig.send_in_group(&queue, "g", "two").await;
    let one = rig.take(&queue, 1, 0).await;
    assert_eq!(bodies(&one), ["one"]);
    let waiting = rig.waiting(&queue, 10).await;
    rig.delete(&queue, one[0].delivery.lease).await.unwrap();
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_that_dead_letters_wakes_who_waits_at_the_dead_letter_queue() {
    let rig = Rig::new();
    let (queue, dead) = rig.with_dead_letters("q").await;
    rig.put(&queue, "poison").await;
    let lease = rig.take(&queue, 1, 0).await[0].delivery.lease;
    rig.release(&queue, lease, 0).await;
    let waiting = rig.waiting(&dead, 1).await;
    assert!(rig.take(&queue, 1, 0).await.is_empty());
    let found = waiting.await.unwrap().unwrap();
    assert_eq!(bodies(&found), ["poison"]);
    assert_eq!(found[0].delivery.source, Some(QueueArn(queue)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_at_the_source_dead_letters_and_wakes_the_one_behind() {
    // The lease ends while somebody waits at the source and somebody at the dead-letter queue: one timer, and the
    // message goes past the first to the second.
    let rig = Rig::new();
    let (queue, dead) = rig.with_dead_letters("q").await;
    rig.put(&queue, "poison").await;
    rig.take(&queue, 1, 0).await;
    let at_source = rig.waiting(&queue, 1).await;
    let at_dead = rig.waiting(&dead, 1).await;
    rig.clock.advance(Duration::from_secs(19));
    rig.clock.advance(Duration::from_secs(1));
    assert!(at_source.await.unwrap().unwrap().is_empty());
    assert!(at_dead.await.unwrap().unwrap().is_empty());
    let at_source = rig.waiting(&queue, 1).await;
    let at_dead = rig.waiting(&dead, 1).await;
    rig.clock.advance(Duration::from_secs(10));
    assert_eq!(bodies(&at_dead.await.unwrap().unwrap()), ["poison"]);
    assert!(!at_source.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_task_wakes_who_waits_at_its_destination() {
    let rig = Rig::new();
    let (queue, dead) = rig.with_dead_letters("q").await;
    for n in 0..3 {
        rig.put(&queue, &n.to_string()).await;
    }
    for received in rig.take(&queue, 10, 0).await {
        rig.release(&queue, received.delivery.lease, 0).await;
    }
    assert!(rig.take(&queue, 10, 0).await.is_empty());
    let waiting = rig.waiting(&queue, 10).await;
    let start = StartMove { source: QueueArn(dead.clone()), destination: None, max_per_s: Some(1) };
    rig.broker.execute(Command::StartMove(start)).await.unwrap();
    // One a second.
    let mut moved = bodies(&waiting.await.unwrap().unwrap());
    while moved.len() < 3 {
        let waiting = rig.waiting(&queue, 10).await;
        rig.clock.advance(Duration::from_secs(1));
        let more = bodies(&waiting.await.unwrap().unwrap());
        assert_eq!(more.len(), 1);
        moved.extend(more);
    }
    assert_eq!(moved, ["0", "1", "2"]);
    rig.clock.advance(Duration::from_secs(1));
    let source = QueueArn(dead);
    let moves = || {
        rig.broker.read({
            let source = source.clone();
            move |state| state.moves(&source)
        })
    };
    until("the task has ended", || matches!(now(moves()), Some(Ok(moves)) if moves[0].outcome.is_some())).await;
    assert_eq!(moves().await.unwrap()[0].moved, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wait_ends_with_nothing_when_its_time_is_up() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = rig.waiting(&queue, 1).await;
    rig.clock.advance(Duration::from_millis(19_999));
    assert!(!waiting.is_finished());
    rig.clock.advance(Duration::from_millis(1));
    assert!(waiting.await.unwrap().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_wait_of_its_own_a_receive_waits_as_long_as_the_queue_says() {
    let rig = Rig::new();
    let attributes = crate::rig::attributes(|attributes| attributes.receive_wait_ms = Some(3_000));
    let queue = rig.create("q", attributes).await;
    let waiting = tokio::spawn({
        let (broker, receive) = (rig.broker.clone(), a_receive(&queue, 1));
        async move { broker.receive(receive, None).await }
    });
    until("it waits", || rig.broker.metrics().waiting_receives == 1).await;
    rig.clock.advance(Duration::from_secs(3));
    assert!(waiting.await.unwrap().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiter_whose_caller_went_away_gets_nothing() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let gone = rig.waiting(&queue, 1).await;
    let here = rig.waiting(&queue, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    rig.put(&queue, "one").await;
    let found = here.await.unwrap().unwrap();
    assert_eq!((bodies(&found), found[0].delivery.receive_count), (vec!["one".to_owned()], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_a_queue_ends_the_waits_on_it() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    let waiting = rig.waiting(&queue, 1).await;
    rig.broker.execute(Command::DeleteQueue { queue }).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Err(Failure::Refused(Refusal::NoSuchQueue)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_comes_before_whoever_asks_when_time_has_moved() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.try_send(Send { delay_ms: Some(1_000), ..a_send(&queue) }, "one").await.unwrap();
    let waiting = rig.waiting(&queue, 1).await;
    rig.clock.advance(Duration::from_secs(1));
    assert!(rig.take(&queue, 1, 0).await.is_empty());
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["one"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_goes_on_past_more_dead_letters_than_one_step_moves() {
    let rig = Rig::new();
    let (queue, dead) = rig.with_dead_letters("q").await;
    for _ in 0..125 {
        let sends = (0..10).map(|_| (a_send(&queue), crate::rig::content("poison"))).collect();
        rig.broker.send(sends).await.unwrap();
    }
    loop {
        let received = rig.take(&queue, 10, 0).await;
        if received.is_empty() {
            break;
        }
        let back = received.iter().map(|received| (change(&queue, received.delivery.lease, 1), None)).collect();
        rig.broker.execute_all(back).await.unwrap();
    }
    rig.clock.advance(Duration::from_secs(1));
    rig.put(&queue, "good").await;
    assert_eq!(bodies(&rig.take(&queue, 1, 0).await), ["good"]);
    let dead = queue_id(&rig.broker, &dead).await;
    let counts = rig.broker.read(move |state| state.queue(dead).map(|queue| queue.counts.visible)).await.unwrap();
    assert_eq!(counts, Some(1250));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_clock_runs_back_time_does_not_and_delays_and_waits_end_all_the_same() {
    let rig = Rig::new();
    let (queue, empty) = (rig.standard("q").await, rig.standard("empty").await);
    rig.put(&queue, "one").await;
    // By an hour, and then the server is started anew: what is in the log is from the future.
    rig.clock.set_ms(START_MS - 3_600_000);
    let rig = rig.kill_and_reopen();
    assert_eq!(rig.broker.now_ms(), START_MS);
    let found = rig.take(&queue, 1, 0).await;
    assert_eq!((found[0].delivery.sent_ms, found[0].delivery.first_received_ms), (START_MS, START_MS));
    rig.try_send(Send { delay_ms: Some(9_000), ..a_send(&queue) }, "later").await.unwrap();
    let (delayed, in_vain) = (rig.waiting(&queue, 1).await, rig.waiting(&empty, 1).await);
    rig.clock.advance(Duration::from_secs(10));
    assert_eq!(bodies(&delayed.await.unwrap().unwrap()), ["later"]);
    rig.clock.set_ms(START_MS - 7_200_000);
    // Looked at: the hand moves twice, not once.
    assert_eq!(rig.broker.now_ms(), START_MS + 9_000);
    rig.clock.advance(Duration::from_secs(13));
    assert!(in_vain.await.unwrap().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_real_time_the_end_of_a_delay_wakes_a_waiter_by_itself() {
    let log = Arc::new(afterward_log::memory::MemoryLog::default());
    let broker = Broker::open(log, Arc::new(SystemClock), Settings::default()).unwrap();
    let queue = broker.standard("q").await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        broker.try_send(Send { delay_ms: Some(100), ..a_send(&queue) }, "later").await.unwrap();
        let began = std::time::Instant::now();
        assert_eq!(bodies(&broker.take(&queue, 1, 20).await), ["later"]);
        waits.push(began.elapsed());
        // Below both the wait's twenty seconds and the thread's longest nap, which is five. A machine may stop for seconds, but
        // not at each delay.
        if waits.last().unwrap() < &Duration::from_millis(4500) {
            return;
        }
    }
    panic!("nothing woke the waiter when the delay was over: {waits:?}");
}

/// What a receive dead-letters on its way may be the last of a batch: it then finds what that held, and does not wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receive_finds_what_its_own_dead_lettering_lets_go_of() {
    let rig = Rig::new();
    let (queue, dead) = rig.with_dead_letters("jobs").await;
    for (body, batch) in [("bad", Batched::In("b".parse().unwrap())), ("done", Batched::After("b".parse().unwrap()))] {
        rig.try_send(Send { batch: Some(batch), ..a_send(&queue) }, body).await.unwrap();
    }
    let bad = rig.take(&queue, 10, 0).await;
    rig.release(&queue, bad[0].delivery.lease, 0).await;
    assert_eq!(bodies(&rig.take(&queue, 10, 0).await), ["done"]);
    assert_eq!(bodies(&rig.take(&dead, 10, 0).await), ["bad"]);
}
