//! How far its holder is, is shown of a message for as long as that is true.

use crate::rig::{Calls, Rig, a_receive, change, refused};
use afterward_broker::{
    Broker, Failure, Progress, Received,
    machine::{Command, Refusal, Reply},
};
use afterward_names::QueueAddress;
use std::time::Duration;

async fn report(broker: &Broker, queue: &QueueAddress, held: &Received, fraction: f64) -> Result<(), Failure> {
    let progress = Progress::new(fraction, "resized").unwrap();
    broker.report_progress(queue.clone(), held.delivery.lease, 30_000, progress).await
}

/// The fraction that is shown.
async fn shown(broker: &Broker, held: &Received) -> Option<f64> {
    let known = broker.progress(vec![held.delivery.message]).await.unwrap();
    known.first().and_then(|progress| progress.as_ref()).map(Progress::fraction)
}

#[tokio::test]
async fn the_last_word_of_a_holder_stands_until_its_attempt_is_over() {
    enum End {
        Delete,
        GiveBack,
        GiveBackLaterBecauseItFailed,
        RunOut,
        Purge,
    }
    for end in [End::Delete, End::GiveBack, End::GiveBackLaterBecauseItFailed, End::RunOut, End::Purge] {
        let rig = Rig::new();
        let (broker, queue) = (&rig.broker, rig.standard("q").await);
        rig.put(&queue, "a").await;
        rig.put(&queue, "b").await;
        let held = rig.take(&queue, 2, 0).await;
        let [a, b] = held.as_slice() else { panic!("{held:?}") };
        assert_eq!(shown(broker, a).await, None, "nothing said");
        for fraction in [0.4, 0.5] {
            report(broker, &queue, a, fraction).await.unwrap();
            assert_eq!(shown(broker, a).await, Some(fraction));
        }
        rig.release(&queue, a.delivery.lease, 20).await;
        assert_eq!(shown(broker, a).await, Some(0.5), "it was extended without a word");
        assert_eq!(shown(broker, b).await, None, "that was another message");

        let lease = a.delivery.lease;
        match end {
            End::Delete => drop(rig.delete(&queue, lease).await.unwrap()),
            End::GiveBack => rig.release(&queue, lease, 0).await,
            End::GiveBackLaterBecauseItFailed => {
                let failed = (change(&queue, lease, 20), Some("no such image".to_owned()));
                assert_eq!(broker.execute_all(vec![failed]).await.unwrap(), [Ok(Reply::Done)]);
            }
            End::RunOut => rig.clock.advance(Duration::from_secs(20)),
            End::Purge => {
                let purge = Command::Purge { queue: queue.clone(), cooldown: false };
                broker.execute(purge).await.unwrap();
            }
        }
        assert_eq!(shown(broker, a).await, None);
        for again in rig.take(&queue, 1, 0).await {
            assert_eq!(again.delivery.message, a.delivery.message);
            assert_eq!(shown(broker, a).await, None, "another attempt begins with nothing");
        }
    }
}

#[tokio::test]
async fn who_does_not_hold_the_message_says_nothing_of_it() {
    let rig = Rig::new();
    let (broker, queue) = (&rig.broker, rig.standard("q").await);
    rig.put(&queue, "a").await;
    let first = rig.take(&queue, 1, 0).await.remove(0);
    rig.release(&queue, first.delivery.lease, 0).await;
    let held = rig.take(&queue, 1, 0).await.remove(0);
    report(broker, &queue, &held, 0.7).await.unwrap();
    let outcome = report(broker, &queue, &first, 0.1).await.map(|()| Reply::Done);
    assert_eq!(refused(outcome), Some(Refusal::NotInFlight));
    assert_eq!(shown(broker, &held).await, Some(0.7));
    // A last word and the end of the attempt in one: there is nobody who holds it.
    let last = Progress::new(1.0, "done").unwrap();
    broker.report_progress(queue.clone(), held.delivery.lease, 0, last).await.unwrap();
    assert_eq!(shown(broker, &held).await, None);
}

#[tokio::test]
async fn a_receive_that_is_repeated_too_late_changes_nothing() {
    let rig = Rig::new();
    let (broker, queue) = (&rig.broker, rig.fifo("q.fifo").await);
    rig.send_in_group(&queue, "g", "a").await;
    let mut receive = a_receive(&queue, 1);
    receive.attempt = Some([7; 16]);
    let first = broker.receive(receive.clone(), None).await.unwrap().remove(0);
    report(broker, &queue, &first, 0.2).await.unwrap();
    // Once extended, an attempt can't be repeated; the next receive finds the group taken.
    assert!(broker.receive(receive, None).await.unwrap().is_empty());
    assert_eq!(shown(broker, &first).await, Some(0.2));
}

#[tokio::test]
async fn it_is_gone_after_a_restart_and_the_lease_is_not() {
    let rig = Rig::new();
    let queue = rig.standard("q").await;
    rig.put(&queue, "a").await;
    let held = rig.take(&queue, 1, 0).await.remove(0);
    report(&rig.broker, &queue, &held, 0.4).await.unwrap();
    let rig = rig.kill_and_reopen();
    assert_eq!(shown(&rig.broker, &held).await, None);
    report(&rig.broker, &queue, &held, 0.6).await.unwrap();
    assert_eq!(shown(&rig.broker, &held).await, Some(0.6), "its holder tells it again");
}
