//! One round: the schedules that were found due at one look are run side by side, so that they share flushes.
//!
//! Those that send to the same group of a FIFO queue are begun one after another, in the order in which they were found:
//! by their due times, and then as they were made. None waits for the one before it to be on the disk. That order is of
//! first tries: one whose message the queue refuses loses its place, and the others go on. A broker that takes no more is
//! another matter: what would follow in the group stays due then, as what it did not take does.
//!
//! A bug that panics over one schedule leaves that due, and the others run.

use crate::{
    crew::Crew,
    lane::Lane,
    run::{self, Due, Run},
};
use afterward_broker::{Failure, ScheduleRun, StoredSchedule, Unavailable};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::task::JoinSet;

type Runs = JoinSet<Result<(), Unavailable>>;

/// Runs them all.
///
/// # Errors
/// [`Unavailable`]: some are still due, or have run.
pub(crate) async fn run_all(crew: &Arc<Crew>, due: Vec<StoredSchedule>) -> Result<(), Unavailable> {
    let (mut runs, mut lanes, mut outcome) = (Runs::new(), BTreeMap::<Lane, Vec<Run>>::new(), Ok(()));
    for schedule in due {
        let crew = crew.clone();
        match understood(&crew, schedule) {
            Ok(Some((Due::Run(run), Some(lane)))) => lanes.entry(lane).or_default().push(*run),
            Ok(Some((Due::Run(run), None))) => drop(runs.spawn(async move { run.submit(&crew).await.map(drop) })),
            Ok(Some((Due::End(run), _))) => drop(runs.spawn(async move { end(&crew, run).await })),
            Ok(None) => {}
            Err(unavailable) => outcome = Err(unavailable),
        }
    }
    for runs_of_lane in lanes.into_values() {
        runs.spawn(in_order(crew.clone(), runs_of_lane));
    }
    outcome.and(all(runs).await)
}

/// What is to be done about a schedule, and where that has its place.
fn understood(crew: &Crew, schedule: StoredSchedule) -> Result<Option<(Due, Option<Lane>)>, Unavailable> {
    caught(|| {
        let due = run::of_due(schedule, crew.broker.now_ms())?;
        let lane = match &due {
            Due::Run(run) => run.lane(),
            Due::End(_) => None,
        };
        Some((due, lane))
    })
}

/// What comes of it, unless it panics.
fn caught<T>(what: impl FnOnce() -> T) -> Result<T, Unavailable> {
    let panicked = |_| Unavailable::because("a bug in Afterward: it panicked over a schedule that is due");
    catch_unwind(AssertUnwindSafe(what)).map_err(panicked)
}

/// Stores what becomes of a schedule that runs no more.
async fn end(crew: &Crew, run: ScheduleRun) -> Result<(), Unavailable> {
    match crew.broker.run_schedule(run).await {
        Err(Failure::Unavailable(unavailable)) => Err(unavailable),
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
    }
}

/// Runs of one lane: begun in their order, and brought to their ends side by side.
async fn in_order(crew: Arc<Crew>, runs: Vec<Run>) -> Result<(), Unavailable> {
    let (mut ends, mut outcome) = (Runs::new(), Ok(()));
    for run in runs {
        let step = match caught(|| run.first_step()).flatten() {
            Ok(step) => step,
            Err(bug) => {
                outcome = Err(bug);
                continue;
            }
        };
        match run.begin(step, &crew).await {
            Ok(begun) => {
                let crew = crew.clone();
                ends.spawn(async move { begun.end(&crew).await.map(drop) });
            }
            Err(unavailable) => {
                outcome = Err(unavailable);
                break;
            }
        }
    }
    outcome.and(all(ends).await)
}

/// Waits for all of them.
async fn all(mut runs: Runs) -> Result<(), Unavailable> {
    let mut outcome = Ok(());
    while let Some(ran) = runs.join_next().await {
        let ran = ran.unwrap_or_else(|panic| Err(Unavailable::because(panic.to_string())));
        outcome = outcome.and(ran);
    }
    outcome
}
