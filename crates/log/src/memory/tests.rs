//! What only a log in memory can show.

use super::*;
use std::thread;

fn batch(text: &str) -> Batch {
    Batch { time_ms: 1, records: 1, payload: Bytes::copy_from_slice(text.as_bytes()) }
}

fn texts(log: &MemoryLog) -> Vec<String> {
    let page = log.read(1, usize::MAX).unwrap();
    page.batches.iter().map(|logged| String::from_utf8(logged.batch.payload.to_vec()).unwrap()).collect()
}

#[test]
fn faults_do_what_they_are_called() {
    for (fault, written, later) in [
        (Fault::Reject, false, false),
        (Fault::UnknownLost, false, false),
        (Fault::UnknownWritten, true, true),
        (Fault::UnknownLate, false, true),
    ] {
        let log = MemoryLog::default();
        let (epoch, tail) = log.claim(0, batch("claim")).unwrap();
        log.fail_next(fault);
        let error = log.append(epoch, tail, batch("x")).unwrap_err();
        assert_eq!(matches!(error, AppendError::Rejected { .. }), fault == Fault::Reject, "{fault:?}: {error}");
        assert_eq!(texts(&log).len() == 2, written, "{fault:?}");
        log.deliver_late();
        assert_eq!(texts(&log).len() == 2, later, "{fault:?}");
        assert!(log.append(epoch, log.bounds().unwrap().tail, batch("y")).is_err(), "{fault:?} poisons");
    }
}

/// DESIGN.md's zombie, with two appends truly under way when another owner claims the log.
#[test]
fn a_zombie_that_pipelines_is_fenced_off_or_skipped() {
    for fencing in [Fencing::ByStore, Fencing::ByReaders] {
        let zombie = MemoryLog::new(fencing);
        let owner = zombie.another();
        let (old_epoch, tail) = zombie.claim(0, batch("old")).unwrap();
        zombie.hold();
        let outcomes = thread::scope(|scope| {
            let append = |expected, held| {
                let zombie = &zombie;
                let thread = scope.spawn(move || zombie.append(old_epoch, expected, batch("zombie")));
                zombie.wait_until_held(held);
                thread
            };
            let threads = [append(tail, 1), append(tail + 1, 2)];
            owner.claim(tail, batch("new")).unwrap();
            zombie.release();
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(outcomes.iter().all(Result::is_err), "{fencing:?}: {outcomes:?}");
        let written = owner.bounds().unwrap().tail == 3;
        assert_eq!(written, fencing == Fencing::ByReaders, "the second append matched the tail again");
        assert_eq!(texts(&owner), ["old", "new"], "{fencing:?}");
        assert_eq!(texts(&zombie), ["old", "new"], "{fencing:?}");

        // The new owner meets what got in, and starts again behind it.
        let (epoch, tail) = if written {
            assert!(matches!(owner.append(2, 2, batch("lost")), Err(AppendError::Rejected { .. })));
            owner.claim(3, batch("again")).unwrap()
        } else {
            (2, 2)
        };
        owner.append(epoch, tail, batch("kept")).unwrap();
        assert_eq!(texts(&zombie).last().unwrap(), "kept");
    }
}
