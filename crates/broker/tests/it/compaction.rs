//! Space comes back, and everything live stays.

use crate::rig::{Calls, Rig, START_MS, a_send, bodies, body, change, content, retained, until};
use afterward_broker::{
    Settings,
    machine::{Command, JobView, Send},
};
use std::{collections::BTreeMap, time::Duration};

const SETTINGS: Settings = Settings { compact_at_ratio: 2.0, compact_at_bytes: 64 << 10 };

/// Lets a message be sent, received and deleted `times` times, by tens.
async fn churn(rig: &Rig, queue: &afterward_names::QueueAddress, times: usize) {
    let filler = "f".repeat(200);
    for _ in 0..times / 10 {
        let sends = (0..10).map(|_| (a_send(queue), content(&filler))).collect();
        rig.broker.send(sends).await.unwrap();
        let received = rig.take(queue, 10, 0).await;
        let deletes = received
            .iter()
            .map(|received| (Command::Delete { queue: queue.clone(), lease: received.delivery.lease }, None));
        for outcome in rig.broker.execute_all(deletes.collect()).await.unwrap() {
            outcome.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_the_log_stays_small_and_keeps_all_that_is_live() {
    let rig = Rig::with(SETTINGS);
    let keep = rig.standard("keep").await;
    let (failing, _) = rig.with_dead_letters("failing").await;
    let busy = rig.standard("busy").await;

    let mut kept = BTreeMap::new();
    for n in 0..50 {
        let text = format!("kept {n}");
        kept.insert(rig.put(&keep, &text).await, text);
    }
    let held = rig.take(&keep, 5, 0).await;
    let delayed = rig.try_send(Send { delay_ms: Some(900_000), ..a_send(&keep) }, "delayed").await;
    assert!(delayed.is_ok());
    rig.put(&failing, "failed").await;
    let failed = rig.take(&failing, 1, 0).await.remove(0);
    let fail = change(&failing, failed.delivery.lease, 0);
    rig.broker.execute_all(vec![(fail, Some("boom".to_owned()))]).await.unwrap();

    churn(&rig, &busy, 5_000).await;
    let sent = 5_000 * 200;
    assert!(retained(&*rig.log) < sent / 2, "{} bytes are retained", retained(&*rig.log));
    assert_eq!(rig.broker.metrics().messages, 52);

    // Twice: what was written forward, and what is replayed from it.
    let first_batch = afterward_log::Log::bounds(&*rig.log).unwrap().first;
    assert!(first_batch > 100, "the log starts at {first_batch}");
    let rig = rig.kill_and_reopen();
    let rest = rig.receive_all(&keep).await;
    assert_eq!(rest.len(), 45);
    for received in held.iter().chain(&rest) {
        assert_eq!(kept.get(&received.delivery.id), Some(&body(&received.message)));
    }
    // A handle from before still holds its lease.
    rig.delete(&keep, held[0].delivery.lease).await.unwrap();
    rig.clock.advance(Duration::from_secs(900));
    let again = rig.receive_all(&keep).await;
    assert_eq!(again.len(), 50);
    assert!(bodies(&again).contains(&"delayed".to_owned()));

    let key = failed.delivery.message;
    let view = rig.broker.read(move |state| state.message(key)).await.unwrap().unwrap();
    assert_eq!(view.receive_count, 1);
    assert_eq!(rig.broker.failures(vec![(view.id, view.failure.unwrap())]).await.unwrap(), [Some("boom".to_owned())]);
}

/// Deletes log next to nothing, however large what they let go of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletes_of_large_messages_alone_give_their_room_back() {
    let rig = Rig::with(Settings { compact_at_ratio: 3.0, compact_at_bytes: 1 << 20 });
    let queue = rig.standard("large").await;
    let (messages, body_bytes) = (400, 16 << 10);
    for _ in 0..messages / 10 {
        let sends = (0..10).map(|_| (a_send(&queue), content(&"x".repeat(body_bytes)))).collect();
        rig.broker.send(sends).await.unwrap();
    }
    let held = rig.receive_all(&queue).await;
    assert_eq!(held.len(), messages);

    // Newest first: what is left lies where a pass begins.
    let left = messages * 28 / 100;
    for received in held[left..].iter().rev() {
        rig.delete(&queue, received.delivery.lease).await.unwrap();
    }
    let most_bytes = 3 * (left * (body_bytes + 1024)) as u64;
    until("the log is at most three times what is live", || retained(&*rig.log) <= most_bytes).await;
    for received in &held[..left] {
        rig.delete(&queue, received.delivery.lease).await.unwrap();
    }
    assert_eq!(rig.broker.metrics().messages, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_job_is_remembered_when_its_records_are_gone() {
    let rig = Rig::with(SETTINGS);
    let jobs = rig.standard("jobs").await;
    let busy = rig.standard("busy").await;
    for body in ["a job", "another"] {
        rig.try_send(Send { job: true, ..a_send(&jobs) }, body).await.unwrap();
    }
    churn(&rig, &busy, 300).await;
    let job = rig.take(&jobs, 1, 0).await.remove(0);
    rig.delete(&jobs, job.delivery.lease).await.unwrap();
    let dropped = rig.take(&jobs, 1, 0).await.remove(0).delivery;
    let undone = Command::Drop { queue: jobs.clone(), lease: dropped.lease };
    rig.broker.execute_all(vec![(undone, Some("no paper".to_owned()))]).await.unwrap().remove(0).unwrap();
    let deleted_at = afterward_log::Log::bounds(&*rig.log).unwrap().tail;
    let failed_at = |view: Option<JobView>| (dropped.id, view.and_then(|job| job.failure()).unwrap());
    let at_first = failed_at(rig.broker.read(move |state| state.job(dropped.id)).await.unwrap());
    for _ in 0..40 {
        churn(&rig, &busy, 100).await;
        let id = job.delivery.id;
        let Rig { clock, log, .. } = &rig;
        let again = afterward_broker::Broker::open(std::sync::Arc::new(log.another()), clock.clone(), SETTINGS);
        // Taking the log over fences the first broker; what the second one replays is what is looked at.
        let again = again.unwrap();
        let view = again.read(move |state| state.job(id)).await.unwrap();
        assert!(matches!(view, Some(JobView::Succeeded { receive_count: 1, finished_ms: START_MS, .. })), "{view:?}");
        let view = again.read(move |state| state.job(dropped.id)).await.unwrap();
        let Some(JobView::Dropped { receive_count: 1, finished_ms: START_MS, failure, .. }) = view else {
            panic!("{view:?}")
        };
        assert_eq!(again.failures(vec![(dropped.id, failure)]).await.unwrap(), [Some("no paper".to_owned())]);
        again.stop().await;
        drop(again);
        let _fenced = rig.try_send(a_send(&busy), "fenced").await;
        until("the first broker is back", || rig.broker.trouble().is_none()).await;
    }
    let first = afterward_log::Log::bounds(&*rig.log).unwrap().first;
    assert!(first > deleted_at, "the log starts at {first}, and the job was deleted at {deleted_at}");
    // Who has looked before it moved finds it all the same.
    assert_eq!(rig.broker.failures(vec![at_first]).await.unwrap(), [Some("no paper".to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contents_are_found_where_compaction_has_moved_them() {
    let rig = Rig::with(SETTINGS);
    let keep = rig.standard("keep").await;
    let busy = rig.standard("busy").await;
    let id = rig.put(&keep, "moved").await;
    let message = afterward_broker::machine::MessageKey::from_u64(id.key());
    let at = rig.broker.read(move |state| state.message(message).map(|message| message.location)).await.unwrap();
    let at = at.unwrap();
    // Far enough that the batch is in nobody's memory either.
    let large = "l".repeat(900_000);
    for _ in 0..20 {
        rig.put(&busy, &large).await;
        let received = rig.take(&busy, 1, 0).await;
        rig.delete(&busy, received[0].delivery.lease).await.unwrap();
    }
    churn(&rig, &busy, 2_000).await;
    assert!(afterward_log::Log::bounds(&*rig.log).unwrap().first > at.position);
    let found = rig.broker.contents(vec![(message, at)]).await.unwrap();
    assert_eq!(found[0].as_ref().map(body), Some("moved".to_owned()));
    let received = rig.take(&keep, 1, 0).await;
    rig.delete(&keep, received[0].delivery.lease).await.unwrap();
    assert_eq!(rig.broker.contents(vec![(message, at)]).await.unwrap(), [None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_backlog_does_not_count_as_large_because_large_messages_pass_by() {
    let rig = Rig::with(SETTINGS);
    let (keep, busy) = (rig.standard("keep").await, rig.standard("busy").await);
    for _ in 0..200 {
        rig.broker.send((0..10).map(|_| (a_send(&keep), content("small"))).collect()).await.unwrap();
    }
    let large = "l".repeat(50_000);
    for _ in 0..100 {
        rig.put(&busy, &large).await;
        let received = rig.take(&busy, 1, 0).await;
        rig.delete(&busy, received[0].delivery.lease).await.unwrap();
    }
    until("the log is small again", || retained(&*rig.log) < 2_000_000).await;
    assert_eq!(rig.broker.metrics().messages, 2_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_that_can_t_shrink_is_not_written_forward_again_and_again() {
    let rig = Rig::with(SETTINGS);
    let keep = rig.standard("keep").await;
    let filler = "k".repeat(500);
    for _ in 0..200 {
        let sends = (0..10).map(|_| (a_send(&keep), content(&filler))).collect();
        rig.broker.send(sends).await.unwrap();
    }
    let live = 2_000 * 500;
    assert!(retained(&*rig.log) < 2 * live);
    let batches = rig.broker.metrics().batches;
    for _ in 0..20 {
        rig.clock.advance(Duration::from_secs(5));
        rig.broker.read(|_| ()).await.unwrap();
    }
    assert_eq!(rig.broker.metrics().batches, batches);
}
