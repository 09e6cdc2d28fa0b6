//! Working off a queue of invocations.
//!
//! A receive is an attempt: the receive count counts them, across restarts too. What fails and may pass comes back when
//! its visibility timeout ends; what fails for good goes to the dead-letter queue of its target, once.

use crate::{
    backoff::after_attempt_ms,
    call::{Call, Retry},
    crew::Crew,
    dead_letter::{DeadLetter, Exhausted},
    execution::Execution,
    invocation::{Invocation, LEASE_MS},
    message,
    problem::Problem,
    target::Target,
};
use afterward_broker::{
    Failure, Received, Unavailable,
    machine::{Command, LeaseRef, Receive, Refusal},
};
use afterward_names::QueueAddress;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// Calls of one queue at a time.
const AT_A_TIME: usize = 64;
const RECEIVED_AT_ONCE: usize = 10;
const WAIT: Duration = Duration::from_secs(20);
/// After a receive that gave nothing or failed: a broker that won't wait any more is not asked in a busy loop.
const PAUSE: Duration = Duration::from_millis(100);

/// Works off `queue` until the runner stops or the queue is deleted.
pub(crate) async fn work(crew: Arc<Crew>, queue: QueueAddress) {
    let mut calls = JoinSet::new();
    loop {
        while calls.try_join_next().is_some() || (calls.len() >= AT_A_TIME && calls.join_next().await.is_some()) {}
        match receive(&crew, &queue, AT_A_TIME - calls.len()).await {
            Some(Ok(received)) if !received.is_empty() => {
                for received in received {
                    let (crew, queue) = (crew.clone(), queue.clone());
                    calls.spawn(async move { attempt(&crew, &queue, received).await });
                }
            }
            Some(Err(Failure::Refused(Refusal::NoSuchQueue))) => {
                if !goes_on(&crew, &queue).await {
                    break;
                }
            }
            Some(Ok(_) | Err(_)) => {
                tokio::select! {
                    () = crew.stopped() => break,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            None => break,
        }
    }
    while calls.join_next().await.is_some() {}
}

/// The next messages; `None` when the runner stops.
async fn receive(crew: &Crew, queue: &QueueAddress, room: usize) -> Option<Result<Vec<Received>, Failure>> {
    let receive = Receive {
        queue: queue.clone(),
        max: room.min(RECEIVED_AT_ONCE),
        visibility_timeout_ms: Some(LEASE_MS),
        attempt: None,
    };
    tokio::select! {
        biased;
        () = crew.stopped() => None,
        received = crew.broker.receive(receive, Some(WAIT)) => Some(received),
    }
}

/// The queue was deleted. Whether it has been made again meanwhile: whoever made it may have counted on this task, so it
/// is looked for after this task has signed off.
async fn goes_on(crew: &Crew, queue: &QueueAddress) -> bool {
    crew.end(queue);
    let looked_for = queue.clone();
    let is_there = crew.broker.read(move |state| state.queue_at(&looked_for).is_some()).await;
    is_there.unwrap_or(false) && crew.begin(queue)
}

/// A message's lease.
struct Held<'a> {
    crew: &'a Crew,
    queue: &'a QueueAddress,
    lease: LeaseRef,
}

/// One attempt at a call. Where the broker can't take what comes of it, nothing is done: the lease ends, and the message
/// comes back.
async fn attempt(crew: &Crew, queue: &QueueAddress, received: Received) {
    let held = Held { crew, queue, lease: received.delivery.lease };
    let outcome = match understand(queue, &received.message.content.body) {
        Ok((invocation, execution, call)) => {
            let attempt = invocation.attempts_before.saturating_add(received.delivery.receive_count);
            Attempt { invocation, execution, call, attempt }.make(&held).await
        }
        Err(why) => {
            tracing::warn!(queue = %queue.arn(), id = %received.delivery.id, why, "a message that is no call is deleted");
            held.delete().await
        }
    };
    if let Err(Unavailable { reason }) = outcome {
        tracing::debug!(reason, "a call's outcome could not be stored; it is made again");
    }
}

/// The call in a message of `queue`. Who may send to that queue may also make schedules, but only of its account and
/// region, and for queues of that account.
fn understand(queue: &QueueAddress, body: &[u8]) -> Result<(Invocation, Execution, Call), String> {
    let invocation = Invocation::decode(body).map_err(|error| error.to_string())?;
    let execution = invocation.execution().ok_or("it names no schedule")?;
    let group = &execution.schedule.group;
    let call = Call::of(&execution.schedule, &invocation.target).map_err(|invalid| invalid.to_string())?;
    if (group.account, &group.region) != (queue.account, &queue.region) {
        return Err(format!("its schedule {} lives elsewhere", execution.schedule.arn()));
    }
    if let Some(target) = call.queues().find(|target| target.account != queue.account) {
        return Err(format!("the queue {} is of another account", target.arn()));
    }
    Ok((invocation, execution, call))
}

/// A call, for the `attempt`th time.
struct Attempt {
    invocation: Invocation,
    execution: Execution,
    call: Call,
    attempt: u32,
}

impl Attempt {
    async fn make(&self, held: &Held<'_>) -> Result<(), Unavailable> {
        let Retry { maximum_retries, maximum_age_ms } = self.call.retry;
        let age_ms = || held.crew.broker.now_ms().saturating_sub(self.invocation.ran_ms);
        let before = self.attempt.saturating_sub(1);
        if before > maximum_retries {
            let problem = Problem::passing("Interrupted", "the server went down during the last attempt");
            return self.dead_letter(held, before, &problem, Some(Exhausted::Attempts)).await;
        }
        // The first attempt is made however late it is; the next is not, where the server was down while it waited.
        if before > 0 && age_ms() > maximum_age_ms {
            let problem = Problem::passing("EventTooOld", "the call had grown too old when its next attempt came");
            return self.dead_letter(held, before, &problem, Some(Exhausted::Age)).await;
        }
        let outcome = tokio::select! {
            biased;
            outcome = self.call(held.crew) => outcome?,
            () = held.crew.cut_off() => return self.put_back(held).await,
        };
        let Err(problem) = outcome else {
            return held.delete().await;
        };
        if !problem.passes {
            return self.dead_letter(held, self.attempt, &problem, None).await;
        }
        if self.attempt > maximum_retries {
            return self.dead_letter(held, self.attempt, &problem, Some(Exhausted::Attempts)).await;
        }
        let wait_ms = after_attempt_ms(&self.execution.id, self.attempt);
        if age_ms().saturating_add(wait_ms) > maximum_age_ms {
            return self.dead_letter(held, self.attempt, &problem, Some(Exhausted::Age)).await;
        }
        held.give_back(wait_ms, &problem).await
    }

    /// Has this very attempt made again after the next start. A message's receives can't be taken back, so another message
    /// takes its place.
    async fn put_back(&self, held: &Held<'_>) -> Result<(), Unavailable> {
        let invocation = Invocation { attempts_before: self.attempt.saturating_sub(1), ..self.invocation.clone() };
        let (send, content) = invocation.message(held.queue, 0);
        match held.crew.broker.send_one(send, content).await? {
            Ok(_) => held.delete().await,
            // Then it comes back as another attempt.
            Err(_) => Ok(()),
        }
    }

    /// # Errors
    /// [`Unavailable`] if it can't be said whether it was made.
    async fn call(&self, crew: &Crew) -> Result<Result<(), Problem>, Unavailable> {
        match &self.call.target {
            Target::Queue(target) => {
                let message = message::of_template(&target.queue, &target.message, &self.execution, self.attempt);
                let mut message = match message {
                    Ok(message) => message,
                    Err(why) => return Ok(Err(Problem::lasting("InvalidParameterValue", why))),
                };
                message::only_once(&mut message, &self.execution, "message");
                let outcome = crew.broker.send_one(message.0, message.1).await?;
                Ok(outcome.map(drop).map_err(|refusal| Problem::of_refusal(&refusal)))
            }
            Target::Http(target) => {
                let placeholders = self.execution.placeholders(self.attempt);
                match target.request(&placeholders, &self.execution.notification()) {
                    Ok(request) => Ok(crew.web().call(request).await),
                    Err(why) => Ok(Err(Problem::lasting("InvalidRequest", why))),
                }
            }
        }
    }

    async fn dead_letter(
        &self,
        held: &Held<'_>,
        attempts: u32,
        problem: &Problem,
        exhausted: Option<Exhausted>,
    ) -> Result<(), Unavailable> {
        let letter = DeadLetter {
            execution: &self.execution,
            target_arn: &self.invocation.target.arn,
            input: self.invocation.target.input.as_deref(),
            attempts,
            problem,
            exhausted,
        };
        let outcome = match &self.call.dead_letter_queue {
            Some(queue) => {
                let (send, content) = letter.message(queue);
                match held.crew.broker.send_one(send, content).await? {
                    Ok(_) => "dead-lettered".to_owned(),
                    Err(refusal) => format!("dropped, for its dead-letter queue refuses it: {refusal}"),
                }
            }
            None => "dropped, for it has no dead-letter queue".to_owned(),
        };
        tracing::warn!(
            schedule = %self.execution.schedule.arn(),
            scheduled_time = self.execution.scheduled_time(),
            attempts,
            error = problem.message,
            "a schedule's call failed and is {outcome}"
        );
        held.delete().await
    }
}

impl Held<'_> {
    async fn delete(&self) -> Result<(), Unavailable> {
        self.execute(Command::Delete { queue: self.queue.clone(), lease: self.lease }, None).await
    }

    async fn give_back(&self, wait_ms: u64, problem: &Problem) -> Result<(), Unavailable> {
        let change = Command::ChangeVisibility {
            queue: self.queue.clone(),
            lease: self.lease,
            timeout_ms: wait_ms,
            failure: true,
        };
        self.execute(change, Some(problem.message.clone())).await
    }

    /// A refusal means that the lease has ended: whoever has the message now sees to it.
    async fn execute(&self, command: Command, error: Option<String>) -> Result<(), Unavailable> {
        self.crew.broker.execute_all(vec![(command, error)]).await.map(drop)
    }
}
