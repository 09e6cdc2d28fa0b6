//! The tasks that run schedules: one takes what is due, and one for each queue of invocations works it off.

use crate::{
    AfterCompletion, Definition,
    crew::{Crew, Phase},
    execution::Execution,
    invocation,
    reach::{HttpTargets, OutOfReach},
    round,
    run::{self, Run, Submitted},
    schedule::Schedule,
    target::Target,
};
use afterward_broker::{Broker, StoredSchedule, Unavailable, machine::NextRun};
use afterward_names::ScheduleAddress;
use std::{fmt, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::sync::watch;

/// Schedules taken at a time: their runs share flushes.
const AT_A_TIME: usize = 256;
/// After a failure, before the broker is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long calls that are cut off by a stop have to be put back.
const PUTTING_BACK: Duration = Duration::from_secs(2);
/// How often a schedule that changes while it is run by hand is looked at again.
const LOOKS: usize = 8;

/// Runs the broker's schedules. Cheap to clone. When the last clone is dropped without [`Runner::stop`], its tasks end
/// where they are, as if the process had been killed; nothing is lost by that, and what was under way is done again.
#[derive(Clone)]
pub struct Runner {
    alive: Arc<Alive>,
}

struct Alive {
    crew: Arc<Crew>,
    phase: watch::Sender<Phase>,
}

/// Why a schedule was not run by hand.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum RunNowError {
    /// There is none.
    #[error("there is no such schedule")]
    NoSuchSchedule,
    /// What it is to do can't be understood.
    #[error("the schedule can't be run: {0}")]
    Unusable(String),
    /// The broker can't take the run.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Runner {
    /// Starts; HTTP targets may reach what `targets` says. Needs a tokio runtime with IO and time.
    pub fn start(broker: Broker, targets: HttpTargets) -> Runner {
        let (phase, follow) = watch::channel(Phase::Running);
        let crew = Arc::new(Crew::new(broker, targets, follow));
        crew.spawn(serve(crew.clone()));
        Runner { alive: Arc::new(Alive { crew, phase }) }
    }

    /// Runs a schedule now, enabled or not, and answers with the execution's id once that is stored. When it is next due
    /// stays as it is; but a one-time schedule that is to be deleted on completion is complete with this, and is deleted by
    /// the same command, so that what is to be done once is not done twice.
    ///
    /// # Errors
    /// See [`RunNowError`].
    pub async fn run_now(&self, schedule: &ScheduleAddress) -> Result<String, RunNowError> {
        let crew = &self.alive.crew;
        let execution = Execution::by_hand(schedule.clone(), crew.broker.now_ms());
        for _ in 0..LOOKS {
            let stored = crew.broker.schedule(schedule).await?.ok_or(RunNowError::NoSuchSchedule)?;
            let (definition, understood) = run::understand(&stored).map_err(RunNowError::Unusable)?;
            let run = Run {
                id: stored.id,
                revision: stored.revision,
                due_ms: stored.next_ms,
                next: after_run_by_hand(&definition, &understood, stored.next_ms),
                execution: execution.clone(),
                definition,
                call: understood.call,
                now_ms: crew.broker.now_ms(),
            };
            if run.submit(crew).await? == Submitted::Stored {
                return Ok(execution.id);
            }
        }
        Err(Unavailable::because("the schedule kept changing while it was to be run; try again").into())
    }

    /// Whether the schedule's target may be called, as far as its URL says: what a name leads to is judged at each call.
    ///
    /// # Errors
    /// [`OutOfReach`].
    pub fn may_call(&self, schedule: &Schedule) -> Result<(), OutOfReach> {
        match &schedule.call.target {
            Target::Http(target) => target.any_host().map_or(Ok(()), |host| self.alive.crew.targets().check(&host)),
            Target::Queue(_) => Ok(()),
        }
    }

    /// Stops: nothing new is begun, calls under way have `patience` to end. Those that don't are made again after the
    /// next start, as the attempts that they are.
    pub async fn stop(&self, patience: Duration) {
        let Alive { crew, phase } = &*self.alive;
        let mut tasks = crew.take_tasks();
        for (now, patience) in [(Phase::Stopping, patience), (Phase::CuttingOff, PUTTING_BACK)] {
            phase.send_replace(now);
            let ended = async { while tasks.join_next().await.is_some() {} };
            if tokio::time::timeout(patience, ended).await.is_ok() {
                return;
            }
        }
        tasks.shutdown().await;
    }
}

/// What becomes of a schedule that was due at `next_ms`, once it has run by hand.
fn after_run_by_hand(definition: &Definition, understood: &Schedule, next_ms: Option<u64>) -> NextRun {
    let is_one_time = understood.timetable().expression.is_one_time();
    if is_one_time && definition.after_completion == AfterCompletion::Delete {
        return NextRun::Delete;
    }
    next_ms.map_or(NextRun::Never, NextRun::At)
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.crew.take_tasks().abort_all();
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").finish_non_exhaustive()
    }
}

/// Takes what is due, until the runner stops.
async fn serve(crew: Arc<Crew>) {
    let mut trouble = Trouble::default();
    while let Err(unavailable) = work_off_what_is_there(&crew).await {
        tokio::select! {
            () = crew.stopped() => return,
            () = trouble.pause(&unavailable) => {}
        }
    }
    let mut failed = None;
    loop {
        let due = tokio::select! {
            biased;
            () = crew.stopped() => return,
            due = next(&crew, failed.take(), &mut trouble) => due,
        };
        // A run that has been begun is not cut off by a stop.
        failed = round::run_all(&crew, due).await.err();
    }
}

/// The schedules that are due next. What `failed` is given time to pass.
async fn next(crew: &Crew, mut failed: Option<Unavailable>, trouble: &mut Trouble) -> Vec<StoredSchedule> {
    loop {
        if let Some(unavailable) = failed.take() {
            trouble.pause(&unavailable).await;
        }
        match crew.broker.due_schedules(AT_A_TIME).await {
            Ok(due) => return due,
            Err(unavailable) => failed = Some(unavailable),
        }
    }
}

/// What schedules wait for, so that it is told aloud once and not each second.
#[derive(Default)]
struct Trouble {
    told: String,
}

impl Trouble {
    async fn pause(&mut self, unavailable: &Unavailable) {
        if self.told == unavailable.reason {
            tracing::debug!(reason = unavailable.reason, "schedules that are due still wait");
        } else {
            tracing::warn!(reason = unavailable.reason, "schedules that are due wait");
            self.told.clone_from(&unavailable.reason);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Goes on with the calls that were pending when the server went down.
async fn work_off_what_is_there(crew: &Arc<Crew>) -> Result<(), Unavailable> {
    let queues = crew.broker.read(|state| {
        let queues = state.all_queues().filter(|queue| queue.address.name.as_str() == invocation::QUEUE);
        queues.map(|queue| queue.address.clone()).collect::<Vec<_>>()
    });
    queues.await?.into_iter().for_each(|queue| crew.work_off(queue));
    Ok(())
}
