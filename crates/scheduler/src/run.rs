//! Running one schedule: what it sends and what becomes of it, as one atomic command.
//!
//! What can't fail is sent in the same command: a message to a queue that takes it is sent exactly once. What can fail
//! becomes an [`Invocation`], also in the same command. If a queue refuses the message, nothing of the run has happened,
//! and the run is submitted again with what that calls for: an invocation, a dead letter, or nothing.
//!
//! A run is first [begun](Run::begin), which gives it its place among all that is stored, and then brought to its
//! [end](Begun::end), which waits for the disk and may submit it again.

use crate::{
    Definition, Schedule,
    backoff::after_attempt_ms,
    call::Call,
    crew::Crew,
    dead_letter::{DeadLetter, Exhausted},
    execution::Execution,
    invocation::{self, Invocation},
    lane::Lane,
    message,
    problem::Problem,
    schedule::OVER_MS,
    target::Target,
};
use afterward_broker::{
    Content, Failure, ScheduleRun, ScheduleRunBegun, StoredSchedule, Unavailable,
    machine::{Command, NextRun, Refusal, ScheduleId, Send},
};
use afterward_names::QueueAddress;
use std::sync::Arc;

/// A run to submit.
pub(crate) struct Run {
    /// The schedule as it was read.
    pub(crate) id: ScheduleId,
    pub(crate) revision: u64,
    pub(crate) due_ms: Option<u64>,
    /// What becomes of it.
    pub(crate) next: NextRun,
    pub(crate) execution: Execution,
    pub(crate) definition: Definition,
    pub(crate) call: Call,
    pub(crate) now_ms: u64,
}

/// What a run sends.
pub(crate) enum Step {
    /// The message that its target is.
    Message(Box<(Send, Content)>),
    /// The call, to be made later. `made`: its queue has been made for it.
    Invocation {
        queue: QueueAddress,
        attempts_before: u32,
        delay_ms: u64,
        made: bool,
    },
    /// It has failed already.
    DeadLetter(Problem, Option<Exhausted>),
    Nothing,
}

/// What became of a submitted run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Submitted {
    Stored,
    /// The schedule is no longer as it was read.
    Stale,
}

/// What is to be done about a schedule that is due.
pub(crate) enum Due {
    /// It runs.
    Run(Box<Run>),
    /// It is over, or makes no sense; this becomes of it.
    End(ScheduleRun),
}

/// A run with its place among all that is stored. What it sent may be refused, and then it is submitted again.
pub(crate) struct Begun {
    run: Run,
    step: Step,
    begun: ScheduleRunBegun,
}

/// What is to be done about a schedule that is due now; `None`: nothing.
pub(crate) fn of_due(stored: StoredSchedule, now_ms: u64) -> Option<Due> {
    let due_ms = stored.next_ms?;
    let (definition, schedule) = match understand(&stored) {
        Ok(understood) => understood,
        Err(why) => return Some(give_up(&stored, &why)),
    };
    if due_ms == OVER_MS {
        return Some(end(&stored, NextRun::Delete));
    }
    let time_ms = schedule.time_of_run(due_ms, now_ms);
    Some(Due::Run(Box::new(Run {
        id: stored.id,
        revision: stored.revision,
        due_ms: Some(due_ms),
        next: schedule.after_run(due_ms, now_ms),
        execution: Execution::new(stored.address, stored.revision, due_ms, time_ms),
        definition,
        call: schedule.call,
        now_ms,
    })))
}

/// What a stored schedule says.
pub(crate) fn understand(stored: &StoredSchedule) -> Result<(Definition, Schedule), String> {
    let definition = Definition::decode(&stored.definition).map_err(|unreadable| unreadable.to_string())?;
    let schedule = Schedule::of(&stored.address, &definition).map_err(|invalid| invalid.to_string())?;
    Ok((definition, schedule))
}

/// A schedule that can't be understood is not due any more, or it would be due forever.
fn give_up(stored: &StoredSchedule, why: &str) -> Due {
    tracing::error!(
        schedule = %stored.address.arn(), why,
        "a schedule can't be understood and runs no more; update or delete it"
    );
    end(stored, NextRun::Never)
}

/// What becomes of a schedule that runs no more, without a run.
fn end(stored: &StoredSchedule, next: NextRun) -> Due {
    let StoredSchedule { id, revision, next_ms: due_ms, .. } = *stored;
    Due::End(ScheduleRun { id, revision, due_ms, next, sends: Vec::new() })
}

impl Run {
    /// Where it has its place in an order; `None`: nowhere.
    pub(crate) fn lane(&self) -> Option<Lane> {
        match &self.call.target {
            Target::Queue(target) => Lane::of(target, &self.execution),
            Target::Http(_) => None,
        }
    }

    /// Stores the run, with whatever of it can be sent.
    ///
    /// # Errors
    /// [`Unavailable`]: perhaps stored, perhaps not.
    pub(crate) async fn submit(self, crew: &Arc<Crew>) -> Result<Submitted, Unavailable> {
        let step = self.first_step()?;
        self.begin(step, crew).await?.end(crew).await
    }

    /// Submits the run for the first time, with its first step. Those that are begun later come after it.
    ///
    /// # Errors
    /// [`Unavailable`]: it was not submitted.
    pub(crate) async fn begin(self, step: Step, crew: &Crew) -> Result<Begun, Unavailable> {
        let begun = self.begin_step(crew, &step).await?;
        Ok(Begun { run: self, step, begun })
    }

    async fn begin_step(&self, crew: &Crew, step: &Step) -> Result<ScheduleRunBegun, Unavailable> {
        let sends = self.sends(step).into_iter().collect();
        let run = ScheduleRun { id: self.id, revision: self.revision, due_ms: self.due_ms, next: self.next, sends };
        crew.broker.begin_schedule_run(run).await
    }

    /// What it sends at first.
    ///
    /// # Errors
    /// A bug in Afterward.
    pub(crate) fn first_step(&self) -> Result<Step, Unavailable> {
        Ok(match &self.call.target {
            Target::Queue(target) => match message::of_template(&target.queue, &target.message, &self.execution, 1) {
                Ok(message) => Step::Message(Box::new(message)),
                Err(why) => Step::DeadLetter(Problem::lasting("InvalidParameterValue", why), None),
            },
            Target::Http(_) => self.invocation(0, 0)?,
        })
    }

    fn invocation(&self, attempts_before: u32, delay_ms: u64) -> Result<Step, Unavailable> {
        let queue = invocation::queue_of(&self.execution.schedule)
            .map_err(|error| Unavailable::because(format!("a bug in Afterward: {error}")))?;
        Ok(Step::Invocation { queue, attempts_before, delay_ms, made: false })
    }

    fn sends(&self, step: &Step) -> Option<(Send, Content)> {
        match step {
            Step::Message(message) => Some((**message).clone()),
            Step::Invocation { queue, attempts_before, delay_ms, .. } => {
                let invocation = Invocation::new(&self.execution, &self.definition, self.now_ms, *attempts_before);
                Some(invocation.message(queue, *delay_ms))
            }
            Step::DeadLetter(problem, exhausted) => {
                let queue = self.call.dead_letter_queue.as_ref();
                self.warn(problem, queue.map_or("dropped, for it has no dead-letter queue", |_| "dead-lettered"));
                let letter = DeadLetter {
                    execution: &self.execution,
                    target_arn: &self.definition.target.arn,
                    input: self.definition.target.input.as_deref(),
                    attempts: 1,
                    problem,
                    exhausted: *exhausted,
                };
                queue.map(|queue| letter.message(queue))
            }
            Step::Nothing => None,
        }
    }

    /// What to send where a step was refused.
    async fn instead_of(&self, crew: &Crew, step: Step, refusal: &Refusal) -> Result<Step, Unavailable> {
        let problem = Problem::of_refusal(refusal);
        match step {
            Step::Message(_) if problem.passes && self.call.retry.maximum_retries > 0 => {
                self.invocation(1, after_attempt_ms(&self.execution.id, 1))
            }
            Step::Message(_) => {
                let exhausted = problem.passes.then_some(Exhausted::Attempts);
                Ok(Step::DeadLetter(problem, exhausted))
            }
            Step::Invocation { queue, attempts_before, delay_ms, made: false } if *refusal == Refusal::NoSuchQueue => {
                match crew.broker.execute(Command::CreateQueue(invocation::create(queue.clone()))).await {
                    // One that is there already may be set up otherwise.
                    Ok(_) | Err(Failure::Refused(Refusal::QueueExists { .. })) => {}
                    Err(Failure::Unavailable(unavailable)) => return Err(unavailable),
                    // It would be due for ever, and hold up the others.
                    Err(Failure::Refused(other)) => return Ok(Step::DeadLetter(Problem::of_refusal(&other), None)),
                }
                Ok(Step::Invocation { queue, attempts_before, delay_ms, made: true })
            }
            Step::Invocation { .. } => Ok(Step::DeadLetter(problem, None)),
            Step::DeadLetter(..) => {
                self.warn(&problem, "dropped, for its dead-letter queue refuses it");
                Ok(Step::Nothing)
            }
            Step::Nothing => Err(Unavailable::because("a bug in Afterward: a send was refused where none was made")),
        }
    }

    fn warn(&self, problem: &Problem, outcome: &str) {
        tracing::warn!(
            schedule = %self.execution.schedule.arn(),
            scheduled_time = self.execution.scheduled_time(),
            error = problem.message,
            "a schedule's call failed and is {outcome}"
        );
    }
}

impl Begun {
    /// Waits until the run is stored, with whatever of it can be sent.
    ///
    /// # Errors
    /// [`Unavailable`]: perhaps stored, perhaps not.
    pub(crate) async fn end(self, crew: &Arc<Crew>) -> Result<Submitted, Unavailable> {
        let Begun { run, mut step, mut begun } = self;
        loop {
            match begun.stored().await {
                Ok(_) => {
                    if let Step::Invocation { queue, .. } = step {
                        crew.work_off(queue);
                    }
                    return Ok(Submitted::Stored);
                }
                Err(Failure::Refused(Refusal::SendRefused { refusal, .. })) => {
                    step = run.instead_of(crew, step, &refusal).await?;
                    begun = run.begin_step(crew, &step).await?;
                }
                Err(Failure::Refused(Refusal::StaleRun)) => return Ok(Submitted::Stale),
                Err(Failure::Refused(other)) => return Err(Unavailable::because(other.to_string())),
                Err(Failure::Unavailable(unavailable)) => return Err(unavailable),
            }
        }
    }
}
