use super::stage::{away, message, refused};
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// A worker that takes naps, and how many it has taken at the same time at most.
fn counting(stage: &Stage, concurrency: usize) -> (Worker<Stage>, Arc<AtomicUsize>) {
    let (now, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let peak = most.clone();
    let worker = Worker::new(stage.clone()).concurrency(concurrency).on(move |task: Nap| {
        let (now, peak) = (now.clone(), peak.clone());
        async move {
            peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            nap(task).await?;
            now.fetch_sub(1, SeqCst);
            Ok::<_, String>(())
        }
    });
    (worker, most)
}

#[tokio::test(start_paused = true)]
async fn no_more_messages_are_taken_than_can_be_handled() {
    for concurrency in [1, 3, 10, 25] {
        let stage = Stage::new((0..40).map(|n| message(&n.to_string(), &body("nap", 1 + n % 7))));
        let (worker, most) = counting(&stage, concurrency);
        assert_eq!(work(&stage, worker, 40).await.unwrap().succeeded, 40);
        assert_eq!(most.load(SeqCst), concurrency, "as many at a time as allowed, and no more");
        assert!(stage.limits().iter().all(|limit| (1..=concurrency.min(10)).contains(limit)), "{:?}", stage.limits());
    }
}

#[tokio::test(start_paused = true)]
async fn a_receive_asks_for_as_many_as_are_free_and_the_source_hands_out() {
    for (hands_out, concurrency, first) in [(10, 80, 10), (100, 80, 80), (100, 250, 100), (3, 80, 3), (100, 4, 4)] {
        let stage = Stage::new((0..300).map(|n| message(&n.to_string(), &body("nap", 1))));
        stage.hand_out(hands_out);
        let (worker, most) = counting(&stage, concurrency);
        assert_eq!(work(&stage, worker, 300).await.unwrap().succeeded, 300);
        assert_eq!(most.load(SeqCst), concurrency);
        assert_eq!((stage.limits()[0], stage.limits().iter().max()), (first, Some(&first)), "{:?}", stage.limits());
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_arrives_during_a_long_poll_is_handled_at_once() {
    let stage = Stage::new([]);
    let late = stage.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(67)).await;
        late.add(message("1", &body("nap", 0)));
    });
    work(&stage, Worker::new(stage.clone()).on(nap), 1).await.unwrap();
    assert_eq!(stage.deeds(), [deleted("1", 67)]);
    assert_eq!(stage.limits().len(), 4, "polls of 20 s: 0, 20, 40, 60");
}

/// A handler should not, but some do. It costs its slot and a thread of the runtime, as any task that does.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_handler_that_blocks_its_thread_keeps_no_other_message_waiting() {
    let stage = Stage::new([]);
    let minutes = stage.clone();
    let until_done = move |id: &str| {
        let is_it = |deed: &Deed| matches!(deed, Deed::Deleted { id: of, .. } if of == id);
        let came = (0..3000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            minutes.deeds().iter().any(is_it)
        });
        if came { Ok(()) } else { Err(format!("`{id}` was not handled: {:?}", minutes.deeds())) }
    };
    let (others, begun) = (until_done.clone(), Arc::<AtomicUsize>::default());
    let blocking = begun.clone();
    // Extending a lease would wake the worker, too.
    let worker = Worker::new(stage.clone()).visibility_timeout(Duration::from_secs(3600));
    let worker = worker.concurrency(10).on(move |_: Nap, cx: Context| {
        let (others, blocking) = (others.clone(), blocking.clone());
        async move {
            if cx.message_id() != "blocks" {
                return Ok(());
            }
            blocking.store(1, SeqCst);
            others("late")
        }
    });
    let (adding, handle) = (stage.clone(), worker.handle());
    let by_and_by = std::thread::spawn(move || {
        let add = |id| adding.add(message(id, &body("nap", 0)));
        add("early");
        let early = until_done("early");
        add("blocks");
        while early.is_ok() && begun.load(SeqCst) == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        add("late");
        let all = early.and_then(|()| until_done("blocks"));
        handle.stop();
        all
    });
    // On a thread of the runtime, as the attempts are.
    let working = tokio::spawn(worker.run());
    assert_eq!(working.await.unwrap().unwrap(), Summary { succeeded: 3, ..Summary::default() });
    by_and_by.join().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_away_is_waited_out() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    stage.fail_visibility([away(), away()]);
    stage.fail_receives((0..8).map(|_| away()));
    assert_eq!(work(&stage, Worker::new(stage.clone()).on(nap), 1).await.unwrap().succeeded, 1);
    assert_eq!(stage.limits().len(), 9);
    assert!((12..40).contains(&stage.seconds()), "it backed off, but not for ever: {} s", stage.seconds());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_refuses_from_the_start_ends_the_worker() {
    let stage = Stage::new([]);
    stage.fail_visibility([refused()]);
    let error = Worker::new(stage.clone()).on(nap).run().await.unwrap_err();
    assert_eq!(error.to_string(), "no such queue");

    stage.fail_receives([away(), refused()]);
    let error = Worker::new(stage).visibility_timeout(Duration::from_secs(9)).on(nap).run().await.unwrap_err();
    assert_eq!(error.to_string(), "no such queue");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_refuses_later_may_come_back() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let later = stage.clone();
    tokio::spawn(async move {
        later.done(1).await;
        later.fail_receives([refused(), refused()]);
        later.add(message("2", &body("nap", 0)));
    });
    assert_eq!(work(&stage, Worker::new(stage.clone()).on(nap), 2).await.unwrap().succeeded, 2);
}

/// Messages of FIFO groups `a` and `b`, in the order a1 b1 a2 b2 a3.
fn groups(failing: &str) -> Stage {
    Stage::new(["a1", "b1", "a2", "b2", "a3"].map(|id| {
        let mut delivery = message(id, &body(if id == failing { "fail" } else { "nap" }, 4));
        (delivery.group, delivery.ordered) = (Some(id[..1].to_owned()), true);
        delivery
    }))
}

#[tokio::test(start_paused = true)]
async fn an_ordered_group_is_handled_one_by_one_and_groups_side_by_side() {
    let stage = groups("none");
    work(&stage, Worker::new(stage.clone()).on(nap), 5).await.unwrap();
    let at: Vec<(String, u64)> = stage
        .deeds()
        .into_iter()
        .map(|deed| match deed {
            Deed::Deleted { id, at_s } => (id, at_s),
            _ => panic!("{deed:?}"),
        })
        .collect();
    let mut expected = [("a1", 4), ("b1", 4), ("a2", 8), ("b2", 8), ("a3", 12)].map(|(id, at)| (id.to_owned(), at));
    let mut at = at;
    at.sort();
    expected.sort();
    assert_eq!(at, expected);
}

#[tokio::test(start_paused = true)]
async fn when_one_of_an_ordered_group_fails_those_after_it_are_handed_back() {
    let stage = groups("a1");
    let worker = Worker::new(stage.clone()).retry(Duration::from_secs(60)).on(nap).on(fail);
    let summary = work(&stage, worker, 5).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 2, failed: 1, handed_back: 2, ..Summary::default() });
    let of_a: Vec<Deed> = stage.deeds().into_iter().filter(|deed| matches!(deed, Deed::Changed { .. })).collect();
    assert_eq!(of_a[0], changed("a1", 4, 60, Some("out of paper")), "the failed one first: it blocks its group");
    assert_eq!(of_a[1..].len(), 2);
    assert!(of_a[1..].iter().all(|deed| matches!(deed, Deed::Changed { after_s: 0, error: None, .. })), "{of_a:?}");
}

#[tokio::test(start_paused = true)]
async fn groups_of_a_standard_queue_take_no_turns() {
    let stage = Stage::new(["1", "2"].map(|id| {
        let mut delivery = message(id, &body("nap", 5));
        delivery.group = Some("tenant".into());
        delivery
    }));
    let began = Arc::new(Mutex::new(Vec::new()));
    let (times, clock) = (began.clone(), stage.clone());
    let worker = Worker::new(stage.clone()).on(move |task: Nap| {
        times.lock().unwrap().push(clock.seconds());
        nap(task)
    });
    work(&stage, worker, 2).await.unwrap();
    assert_eq!(*began.lock().unwrap(), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_can_never_work_is_refused_at_once() {
    let told = crate::Workers::new().run().await.unwrap_err().to_string();
    assert!(told.contains("there are no workers"), "{told}");
    let twelve_hours = Duration::from_secs(43_200);
    for timeout in [Duration::MAX, twelve_hours + Duration::from_secs(1)] {
        let worker = Worker::new(Stage::new([])).visibility_timeout(timeout).on(nap);
        let told = worker.run().await.unwrap_err().to_string();
        assert!(told.contains("maximum of 12 hours"), "{told}");
    }
    let stage = Stage::new([]);
    let worker = Worker::new(stage.clone()).visibility_timeout(twelve_hours).on(nap);
    worker.handle().stop();
    worker.run().await.unwrap();
}
