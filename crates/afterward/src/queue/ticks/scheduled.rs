//! Ticks from EventBridge Scheduler's API: a schedule there for each of the worker's, put by every worker alike.
//!
//! A worker that starts puts its own definition in the place of a different one; while it works, it puts back what is missing
//! and leaves alone what differs, so that workers of two versions don't quarrel. Whether the schedule is paused is not the
//! worker's business. Where it can't know whether the schedule is there, or can't put it back, it tells so: once, until
//! the trouble is over or becomes another.

use super::{deduplication_id, group};
use crate::{
    Queue, Schedule, SourceError,
    queue::source::of_queue,
    scheduler::{
        Client, DeleteScheduleInput, FlexibleTimeWindow, GetScheduleInput, GetScheduleOutput, Request, Response,
        ScheduleInput, Target, Timestamp,
    },
    sqs,
    worker::schedule::{body, ms_of},
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    mem::{Discriminant, discriminant},
    time::Duration,
};

const SEND_MESSAGE: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
/// What a scheduler puts the tick's time in the place of.
const TIME: &str = "<aws.scheduler.scheduled-time>";
/// How often a worker looks whether its schedules are still there.
const LOOK: Duration = Duration::from_secs(300);
/// The longest name of a schedule, by the API.
const LONGEST_NAME: usize = 64;

/// The kind of trouble that was told of a schedule, by its name.
type Told = BTreeMap<String, Discriminant<SourceError>>;

pub(super) struct Scheduled<'a> {
    pub(super) queue: &'a Queue,
    pub(super) client: Client,
    pub(super) role: String,
}

impl Scheduled<'_> {
    pub(super) async fn put(&self, schedules: &[Schedule]) -> Result<(), SourceError> {
        for schedule in schedules {
            let wanted = self.input(schedule).await?;
            match self.get(&wanted.name).await? {
                Some(found) if is_same(&wanted, &found) => {}
                Some(found) => {
                    let name = schedule.name();
                    tracing::info!(schedule = name, expression = schedule.expression(), "the schedule is changed");
                    self.call(&Request::UpdateSchedule(ScheduleInput { state: found.state, ..wanted })).await?;
                }
                None => self.create(wanted).await?,
            }
        }
        Ok(())
    }

    pub(super) async fn keep(&self, schedules: &[Schedule], failed: impl Fn(&str, &SourceError) + Send + Sync) {
        let mut told = Told::new();
        loop {
            tokio::time::sleep(LOOK).await;
            self.look(schedules, &mut told, &failed).await;
        }
    }

    /// Puts back what is missing, and tells what trouble has begun since the last look.
    async fn look(
        &self,
        schedules: &[Schedule],
        told: &mut Told,
        failed: &(impl Fn(&str, &SourceError) + Send + Sync),
    ) {
        for schedule in schedules {
            let name = schedule.name();
            match self.put_back(schedule).await {
                Ok(()) => {
                    if told.remove(name).is_some() {
                        tracing::info!(schedule = name, "the schedule is in place again");
                    }
                }
                Err(error) => {
                    let kind = discriminant(&error);
                    if told.insert(name.to_owned(), kind) == Some(kind) {
                        tracing::debug!(schedule = name, %error, "still");
                    } else {
                        failed(name, &error);
                    }
                }
            }
        }
    }

    async fn put_back(&self, schedule: &Schedule) -> Result<(), SourceError> {
        let at = self.client.endpoint();
        let unknown = |error| saying(error, &format!("whether the scheduler at {at} still has it is not known"));
        let wanted = self.input(schedule).await.map_err(unknown)?;
        if self.get(&wanted.name).await.map_err(unknown)?.is_none() {
            tracing::warn!(schedule = schedule.name(), "the schedule was deleted: it is put back");
            let put_back = self.create(wanted).await;
            put_back.map_err(|error| saying(error, &format!("it was deleted at {at}, and can't be put back")))?;
        }
        Ok(())
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), SourceError> {
        let name = name_of(self.queue.name(), name);
        let delete = DeleteScheduleInput { name, ..DeleteScheduleInput::default() };
        match self.client.call(&Request::DeleteSchedule(delete)).await {
            Err(error) if !is_missing(&error) => Err(of_queue(error)),
            _ => Ok(()),
        }
    }

    async fn create(&self, wanted: ScheduleInput) -> Result<(), SourceError> {
        match self.client.call(&Request::CreateSchedule(wanted)).await {
            // Another worker was quicker.
            Err(error) if error.has_code(&["ConflictException"]) => Ok(()),
            created => created.map(drop).map_err(of_queue),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<GetScheduleOutput>, SourceError> {
        let get = GetScheduleInput { name: name.to_owned(), ..GetScheduleInput::default() };
        match self.client.call(&Request::GetSchedule(get)).await {
            Ok(Response::GetSchedule(found)) => Ok(Some(found)),
            Ok(_) => Ok(None),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(of_queue(error)),
        }
    }

    async fn call(&self, request: &Request) -> Result<Response, SourceError> {
        self.client.call(request).await.map_err(of_queue)
    }

    /// The definition of a schedule there.
    async fn input(&self, schedule: &Schedule) -> Result<ScheduleInput, SourceError> {
        // A rate counts from its start, which may not be past.
        let start_ms = match schedule.is_rate() {
            true => schedule.next_after_ms(ms_of(self.queue.time().await?)),
            false => None,
        };
        let name = schedule.name();
        Ok(ScheduleInput {
            name: name_of(self.queue.name(), name),
            schedule_expression: schedule.expression().to_owned(),
            schedule_expression_timezone: Some(schedule.zone().to_owned()),
            start_date: start_ms.and_then(|ms| i64::try_from(ms).ok()).map(|ms| Timestamp { ms }),
            flexible_time_window: FlexibleTimeWindow::default(),
            target: self.target(name),
            description: Some(format!("Runs `{name}` in the workers of the queue `{}`", self.queue.name())),
            ..ScheduleInput::default()
        })
    }

    /// SQS's SendMessage itself, which takes a deduplication id, as a plain SQS target does not.
    fn target(&self, name: &str) -> Target {
        let mut input = serde_json::json!({"QueueUrl": self.queue.url(), "MessageBody": body(name, TIME)});
        if self.queue.is_fifo() {
            input["MessageGroupId"] = group(name).into();
            input["MessageDeduplicationId"] = deduplication_id(name, TIME).into();
        }
        let input = Some(input.to_string());
        Target { arn: SEND_MESSAGE.to_owned(), role_arn: self.role.clone(), input, ..Target::default() }
    }
}

/// The same error, and before it what that means.
fn saying(error: SourceError, what: &str) -> SourceError {
    let text = format!("{what}: {error}").into();
    match error {
        SourceError::Unavailable(_) => SourceError::Unavailable(text),
        SourceError::LeaseLost(_) => SourceError::LeaseLost(text),
        SourceError::Refused(_) => SourceError::Refused(text),
    }
}

fn is_missing(error: &sqs::Error) -> bool {
    error.has_code(&["ResourceNotFoundException"])
}

/// Whether what is there is what is wanted, but for where a rate began, and whether it is paused.
fn is_same(wanted: &ScheduleInput, found: &GetScheduleOutput) -> bool {
    let zone = |zone: &Option<String>| zone.clone().unwrap_or_else(|| "UTC".to_owned());
    found.schedule_expression.as_ref() == Some(&wanted.schedule_expression)
        && zone(&found.schedule_expression_timezone) == zone(&wanted.schedule_expression_timezone)
        && found.end_date == wanted.end_date
        && found.target.as_ref().is_some_and(|target| {
            let Target { arn, role_arn, input, .. } = &wanted.target;
            (&target.arn, &target.role_arn, &target.input) == (arn, role_arn, input)
        })
}

/// What a schedule of a queue is called there: both names, cut and told apart by a hash where that is too long.
fn name_of(queue: &str, name: &str) -> String {
    let full = format!("tick.{queue}.{name}");
    if full.len() <= LONGEST_NAME {
        return full;
    }
    let hash = Sha256::digest(full.as_bytes());
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // Names of queues and schedules are ASCII.
    format!("{}-{hash}", full.chars().take(LONGEST_NAME - hash.len() - 1).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scheduler,
        sqs::tests::{
            client,
            server::{Answer, Server, error, ok},
        },
    };
    use std::sync::{Arc, Mutex, PoisonError};

    /// How a scheduler answers.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Mood {
        Has,
        HasNot,
        /// It has not, and takes nothing either.
        Refuses,
        Denies,
        Away,
    }

    fn answer(mood: Mood, asked: &http::Request<bytes::Bytes>) -> Answer {
        if asked.uri().path().starts_with("/_afterward/") {
            return error(404, "NotFound", "no Afterward server");
        }
        match (mood, asked.method().as_str()) {
            (Mood::Has, "GET") => ok(r#"{"Name":"tick.jobs.nightly"}"#),
            (Mood::HasNot, "POST") => ok(r#"{"ScheduleArn":"arn"}"#),
            (Mood::HasNot | Mood::Refuses, "GET") => error(404, "ResourceNotFoundException", "none"),
            (Mood::Refuses, _) => error(400, "ValidationException", "no such target"),
            (Mood::Denies, _) => error(403, "AccessDeniedException", "not you"),
            _ => error(503, "ServiceUnavailable", "later"),
        }
    }

    /// A look every five minutes, and what it makes of what it finds.
    #[tokio::test]
    async fn trouble_is_told_when_it_begins_and_when_it_becomes_another() {
        let mood = Arc::new(Mutex::new(Mood::Has));
        let of_server = mood.clone();
        let server =
            Server::ruled(move |asked| answer(*of_server.lock().unwrap_or_else(PoisonError::into_inner), asked)).await;
        let queue = Queue::with_client(client(&server.url()), "http://elsewhere/000000000000/jobs");
        let queue = queue.scheduler(Scheduler::None);
        let scheduler = Client::at(queue.client(), queue.client().endpoint().clone()).unwrap();
        let way = Scheduled { queue: &queue, client: scheduler, role: "r".to_owned() };
        let schedules = [Schedule::every("nightly", "rate(1 day)").unwrap()];
        let (failures, mut told) = (Mutex::new(Vec::new()), Told::new());
        let failed = |name: &str, error: &SourceError| failures.lock().unwrap().push(format!("{name}: {error}"));
        for (now, expected) in [
            (Mood::Has, None),
            (Mood::Away, Some("still has it is not known: ")),
            (Mood::Away, None),
            (Mood::Denies, Some("not you")),
            (Mood::Denies, None),
            (Mood::Has, None),
            (Mood::HasNot, None), // put back
            (Mood::Refuses, Some("can't be put back: ")),
            (Mood::Refuses, None),
            (Mood::Away, Some("later")),
            (Mood::HasNot, None),
            (Mood::Away, Some("nightly: ")),
        ] {
            *mood.lock().unwrap() = now;
            way.look(&schedules, &mut told, &failed).await;
            let heard = std::mem::take(&mut *failures.lock().unwrap());
            assert_eq!(heard.len(), usize::from(expected.is_some()), "{now:?}: {heard:?}");
            assert!(expected.is_none_or(|words| heard[0].contains(words)), "{now:?}: {heard:?}");
        }
    }

    #[test]
    fn a_name_is_readable_and_the_queues_own() {
        assert_eq!(name_of("jobs.fifo", "hourly"), "tick.jobs.fifo.hourly");
        let (long, longer) = (name_of(&"q".repeat(80), "hourly"), name_of(&"q".repeat(80), "daily"));
        assert!(long != longer && long.len() == 64 && longer.len() == 64, "{long} {longer}");
        assert!(long.starts_with("tick.qqq"), "{long}");
    }
}
