//! One attempt at a call, from the message in which it waits to what comes of it.

use crate::{
    backoff::after_attempt_ms,
    call::{Call, Retry},
    crew::Crew,
    dead_letter::{DeadLetter, Exhausted},
    execution::Execution,
    hosts::Hosts,
    invocation::Invocation,
    message,
    problem::Problem,
    target::Target,
};
use afterward_broker::{
    Received, Unavailable,
    machine::{Command, LeaseRef},
};
use afterward_names::QueueAddress;
use std::sync::Arc;

/// A message's lease.
struct Held<'a> {
    crew: &'a Crew,
    queue: &'a QueueAddress,
    hosts: &'a Arc<Hosts>,
    lease: LeaseRef,
}

/// One attempt at a call. Where the broker can't take what comes of it, nothing is done: the lease ends, and the message
/// comes back.
pub(crate) async fn attempt(crew: &Crew, queue: &QueueAddress, hosts: &Arc<Hosts>, received: Received) {
    let held = Held { crew, queue, hosts, lease: received.delivery.lease };
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

/// What came of an attempt.
enum Outcome {
    Made(Result<(), Problem>),
    /// Nothing yet: the host has all the calls that it may have.
    Full {
        host: String,
    },
    /// Nothing: the runner stops.
    Stopping,
}

impl Attempt {
    async fn make(&self, held: &Held<'_>) -> Result<(), Unavailable> {
        if held.crew.is_stopping() {
            return held.hand_back(0).await;
        }
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
            outcome = self.call(held) => outcome?,
            // This very attempt is made again after the next start.
            () = held.crew.cut_off() => return held.hand_back(0).await,
        };
        let problem = match outcome {
            Outcome::Made(Ok(())) => return held.delete().await,
            Outcome::Made(Err(problem)) => problem,
            Outcome::Stopping => return held.hand_back(0).await,
            Outcome::Full { host } if self.in_line_ms(held.crew) > maximum_age_ms => {
                let why = format!("the call had grown too old while {host} was busy with calls before it");
                let problem = Problem::passing("EventTooOld", why);
                return self.dead_letter(held, before, &problem, Some(Exhausted::Age)).await;
            }
            Outcome::Full { host } => {
                return held.hand_back(held.hosts.absence_ms(&host, held.crew.broker.now_ms())).await;
            }
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

    /// How long it has waited for the host, at the most: while the server was down, a first attempt was not in line.
    fn in_line_ms(&self, crew: &Crew) -> u64 {
        let since_ms = match self.attempt {
            0 | 1 => self.invocation.ran_ms.max(crew.started_ms),
            _ => self.invocation.ran_ms,
        };
        crew.broker.now_ms().saturating_sub(since_ms)
    }

    /// # Errors
    /// [`Unavailable`] if it can't be said whether it was made.
    async fn call(&self, held: &Held<'_>) -> Result<Outcome, Unavailable> {
        let crew = held.crew;
        Ok(Outcome::Made(match &self.call.target {
            Target::Queue(target) => {
                match message::of_template(&target.queue, &target.message, &self.execution, self.attempt) {
                    Ok(mut message) => {
                        message::only_once(&mut message, &self.execution, "message");
                        let outcome = crew.broker.send_one(message.0, message.1).await?;
                        outcome.map(drop).map_err(|refusal| Problem::of_refusal(&refusal))
                    }
                    Err(why) => Err(Problem::lasting("InvalidParameterValue", why)),
                }
            }
            Target::Http(target) => {
                let placeholders = self.execution.placeholders(self.attempt);
                match target.request(&placeholders, &self.execution.notification()) {
                    Ok(request) => {
                        let host = request.host();
                        let turn = tokio::select! {
                            biased;
                            turn = held.hosts.turn(&host) => turn,
                            () = crew.stopped() => return Ok(Outcome::Stopping),
                        };
                        let Some(_turn) = turn else { return Ok(Outcome::Full { host }) };
                        crew.web().call(request).await
                    }
                    Err(why) => Err(Problem::lasting("InvalidRequest", why)),
                }
            }
        }))
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

    /// For `wait_ms`, uncounted: it was not begun, or is to be made again as the attempt that it was.
    async fn hand_back(&self, wait_ms: u64) -> Result<(), Unavailable> {
        let hand_back = Command::HandBack { queue: self.queue.clone(), lease: self.lease, timeout_ms: wait_ms };
        self.execute(hand_back, None).await
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
