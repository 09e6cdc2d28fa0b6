//! Schedules of workers against an Afterward server whose clock a test moves, and how they do without one.

use crate::ticking;
use crate::ticking::{Ticks, count};
use afterward::{
    Event, Missed, Queue, Scheduler, Summary, Tick, Worker, handler,
    scheduler::{self, GetScheduleInput, GetScheduleOutput, ListSchedulesInput, Request, Response},
    sqs::{self, SetQueueAttributesRequest},
    testing::{self, Broker},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Thursday, 2026-01-01, half past midnight UTC, when it is half past one in Vienna.
fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 1800)
}

/// A worker with one schedule, which notes its ticks.
fn hourly(queue: &Queue, ticks: &Ticks) -> Worker<Queue> {
    Worker::new(queue.clone()).every("rate(1 hour)", handler(ticks.noting()).name("hourly"))
}

async fn get(queue: &Queue, name: &str) -> Result<GetScheduleOutput, sqs::Error> {
    let client = scheduler::Client::beside(queue.client()).unwrap();
    let get = GetScheduleInput { name: format!("tick.{}.{name}", queue.name()), ..GetScheduleInput::default() };
    match client.call(&Request::GetSchedule(get)).await? {
        Response::GetSchedule(found) => Ok(found),
        other => panic!("{other:?}"),
    }
}

async fn names(queue: &Queue) -> Vec<String> {
    let client = scheduler::Client::beside(queue.client()).unwrap();
    match client.call(&Request::ListSchedules(ListSchedulesInput::default())).await.unwrap() {
        Response::ListSchedules(page) => page.schedules.into_iter().filter_map(|schedule| schedule.name).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_time_is_run_once_however_many_workers_there_are() {
    let broker = Broker::start_at(start()).await;
    for queue in [broker.queue("jobs").await, broker.queue("jobs.fifo").await] {
        let ticks = Ticks::default();
        let workers: Vec<_> = (0..2).map(|_| hourly(&queue, &ticks)).collect();
        let handles: Vec<_> = workers.iter().map(Worker::handle).collect();
        let running: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.run())).collect();
        ticking::until(async || get(&queue, "hourly").await.is_ok()).await;
        let began = broker.now();
        for run in 1..=4 {
            broker.advance(HOUR).await;
            ticks.reach(run).await;
        }
        handles.iter().for_each(afterward::Handle::stop);
        let mut summaries = Vec::new();
        for worker in running {
            summaries.push(worker.await.unwrap().unwrap());
        }
        assert_eq!(count(&summaries, |summary| summary.succeeded), 4, "{summaries:?}");
        let first = began + HOUR / 2;
        let full_hours: Vec<_> = (0..4).map(|hour| Tick::new("hourly", first + hour * HOUR)).collect();
        assert_eq!(ticks.seen(), full_hours);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_runs_once_for_the_latest_time_or_not_at_all() {
    for (missed, runs) in [(Missed::RunOnce, 1), (Missed::Skip(5 * MINUTE), 0)] {
        let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let broker = Broker::start_at(start()).await;
        let queue = broker.queue(format!("jobs-{runs}")).await;
        let ticks = Ticks::default();
        let worker = || {
            let (noting, told) = (handler(ticks.noting()).name("hourly").missed(missed), told.clone());
            Worker::new(queue.clone()).every("rate(1 hour)", noting).on_event(move |event| match event {
                Event::Missed { job, superseded, .. } => {
                    told.lock().unwrap().push((job.schedule.clone().unwrap(), *superseded));
                }
                other => panic!("{other}"),
            })
        };
        let nothing_yet = testing::drain(worker()).await;
        assert_eq!(nothing_yet, Summary::default());
        // Nobody is there for five full hours, and it is half past.
        for _ in 0..5 {
            broker.advance(HOUR).await;
        }
        let latest = broker.now() - HOUR / 2;
        let summary = testing::drain(worker()).await;
        assert_eq!((summary.succeeded, summary.dropped), (runs, 5 - runs), "{missed:?}");
        let passed_over: Vec<_> = (runs..5).map(|_| ("hourly".to_owned(), missed == Missed::RunOnce)).collect();
        assert_eq!(*told.lock().unwrap(), passed_over, "as missed, and as nothing else");
        let seen: Vec<Tick> = (0..runs).map(|_| Tick::new("hourly", latest)).collect();
        assert_eq!(ticks.seen(), seen);
        // And then it goes on, in time again.
        broker.advance(HOUR / 2).await;
        assert_eq!(testing::drain(worker()).await.succeeded, 1, "{missed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_stays_as_it_is_over_restarts_and_changes_with_its_expression() {
    let broker = Broker::start_at(start()).await;
    let queue = broker.queue("jobs").await;
    let ticks = Ticks::default();
    testing::drain(hourly(&queue, &ticks)).await;
    let made = get(&queue, "hourly").await.unwrap();
    assert_eq!(made.schedule_expression.as_deref(), Some("rate(1 hour)"));
    broker.advance(10 * MINUTE).await;
    testing::drain(hourly(&queue, &ticks)).await;
    assert_eq!(get(&queue, "hourly").await.unwrap(), made, "a worker that starts again changes nothing");

    let daily = || {
        let noting = handler(ticks.noting()).name("hourly");
        Worker::new(queue.clone()).cron("0 8 * * MON-FRI", "Europe/Vienna", noting)
    };
    testing::drain(daily()).await;
    let changed = get(&queue, "hourly").await.unwrap();
    assert_eq!(changed.schedule_expression.as_deref(), Some("cron(0 8 ? * 2-6 *)"));
    assert_eq!(changed.schedule_expression_timezone.as_deref(), Some("Europe/Vienna"));
    assert_eq!(names(&queue).await.len(), 1);
    // From 1:40 on Thursday in Vienna: one run on Thursday, one on Friday, none on the weekend.
    for hours in [6, 24, 24, 24] {
        broker.advance(hours * HOUR + 20 * MINUTE * u32::from(hours == 6)).await;
        testing::drain(daily()).await;
    }
    let seven = start() + 6 * HOUR + HOUR / 2;
    assert_eq!(ticks.seen(), [seven, seven + 24 * HOUR].map(|time| Tick::new("hourly", time)));
}

async fn weekly(_: Tick) -> Result<(), String> {
    Err("out of paper".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_no_worker_has_ends_and_fills_no_dead_letter_queue() {
    let broker = Broker::start_at(start()).await;
    let queue = broker.queue("jobs").await;
    let worker = Worker::new(queue.clone()).every("rate(1 hour)", weekly);
    testing::drain(worker).await;
    assert_eq!(names(&queue).await, ["tick.jobs.weekly"]);
    // The next version of the program has another schedule.
    let ticks = Ticks::default();
    let mut ended = Summary::default();
    broker.advance(HOUR / 2).await;
    // While the old one is still in place, its tick waits for a worker that has it, however often others receive it.
    for _ in 0..12 {
        ended.handed_back += testing::drain(hourly(&queue, &ticks)).await.handed_back;
        broker.advance(4 * MINUTE).await;
    }
    assert!(ended.handed_back > 10, "{ended:?}");
    assert_eq!(names(&queue).await, ["tick.jobs.hourly", "tick.jobs.weekly"]);
    for _ in 0..4 {
        broker.advance(4 * MINUTE).await;
        ended.dropped += testing::drain(hourly(&queue, &ticks)).await.dropped;
    }
    assert_eq!(ended.dropped, 1, "{ended:?}");
    assert_eq!(names(&queue).await, ["tick.jobs.hourly"]);
    assert_eq!(testing::dead_letters(&queue).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_fails_for_good_is_dead_lettered_like_any_job_and_told() {
    let broker = Broker::start_at(start()).await;
    let queue = broker.queue("jobs").await;
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let worker = || {
        let told = told.clone();
        let once = handler(weekly).max_attempts(1);
        Worker::new(queue.clone()).every("rate(1 hour)", once).on_event(move |event| {
            told.lock().unwrap().push(event.to_string());
        })
    };
    testing::drain(worker()).await;
    broker.advance(HOUR).await;
    assert_eq!(testing::drain(worker()).await.dead_lettered, 1);
    let told = told.lock().unwrap().clone();
    assert!(told.iter().any(|event| event.contains("weekly") && event.contains("out of paper")), "{told:?}");
    assert_eq!(testing::dead_letters(&queue).await[0].last_error.as_deref(), Some("out of paper"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_with_a_schedule_that_makes_no_sense_does_not_start_and_says_why() {
    let broker = Broker::start().await;
    let queue = broker.queue("jobs").await;
    let new = || Worker::new(queue.clone());
    for (worker, told) in [
        (new().every("rate(5 seconds)", weekly), "`weekly`: rate(5 seconds): the unit"),
        (new().cron("0 8 * * *", "Europe/Wien", weekly), "not a time zone"),
        (new().every("rate(1 hour)", |_: Tick| async {}), "has no name"),
        (new().every("rate(1 hour)", handler(weekly).name("every week")), "can't be called"),
        (new().every("rate(1 hour)", weekly).every("rate(2 hours)", weekly), "two schedules"),
        (
            Worker::new(queue.clone().scheduler(Scheduler::None)).every("rate(1 hour)", weekly),
            "a FIFO queue, which takes one",
        ),
    ] {
        let error = worker.run().await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_scheduler_workers_send_each_tick_once_together() {
    let broker = Broker::start_at(start()).await;
    ticking::what_was_missed_is_sent_once(broker.client(), HOUR).await;

    // The queue forgets deduplication ids after five minutes; what a tag says, it does not.
    let fifo = broker.queue("jobs.fifo").await;
    let attributes = [("VisibilityTimeout".to_owned(), "30".to_owned())].into();
    let set = SetQueueAttributesRequest { queue_url: fifo.url().to_owned(), attributes };
    broker.client().set_queue_attributes(set).await.unwrap();
    let ticks = Ticks::default();
    let worker = || hourly(&fifo.clone().scheduler(Scheduler::None), &ticks);
    for (passing, runs) in [(MINUTE, 0), (HOUR, 1), (10 * MINUTE, 1), (5 * HOUR, 2), (6 * MINUTE, 2), (HOUR, 3)] {
        broker.advance(passing).await;
        testing::drain(worker()).await;
        assert_eq!(ticks.seen().len(), runs, "after {passing:?}");
    }
    let hour = |hour: u32| Tick::new("hourly", start() - HOUR / 2 + hour * HOUR);
    assert_eq!(ticks.seen(), [hour(1), hour(6), hour(7)]);
}
