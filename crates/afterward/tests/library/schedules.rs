//! Schedules of workers against an Afterward server whose clock a test moves, and how they do without one.

use crate::ticking;
use crate::ticking::{Ticks, count};
use afterward::{
    Event, Missed, Queue, Scheduler, Summary, Tick, Worker, handler,
    scheduler::{self, GetScheduleInput, GetScheduleOutput, ListSchedulesInput, Request, Response},
    sqs::{self, SetQueueAttributesRequest},
    testing::{self, Broker, Standing},
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
            // An hour later, the lease of a tick that is not deleted yet would be over.
            ticking::until(async || testing::everything(&queue).await.is_empty()).await;
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

/// As after a downtime of the server, which sends one tick then for all that it missed.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_missed_runs_once_for_the_latest_time_if_that_is_not_too_late() {
    // It is half past midnight, and then a quarter past four, or half past three the next morning.
    for (missed, passing, latest, runs) in [
        (Missed::RunOnce, 225 * MINUTE, 4, true),
        (Missed::RunOnce, 27 * HOUR, 27, true),
        (Missed::Skip(HOUR), 225 * MINUTE, 4, true),
        (Missed::Skip(15 * MINUTE), 225 * MINUTE, 4, true),
        (Missed::Skip(14 * MINUTE), 225 * MINUTE, 4, false),
    ] {
        let broker = Broker::start_at(start()).await;
        for (queue, midnight) in [("jobs", start() - HOUR / 2), ("jobs.fifo", start() + 48 * HOUR - HOUR / 2)] {
            let queue = broker.queue(queue).await;
            let (ticks, told) = (Ticks::default(), std::sync::Arc::new(std::sync::Mutex::new(Vec::new())));
            let worker = || {
                let told = told.clone();
                let noting = handler(ticks.noting()).name("hourly").missed(missed);
                Worker::new(queue.clone()).every("rate(1 hour)", noting).on_event(move |event| {
                    told.lock().unwrap().push(event.error().to_owned());
                })
            };
            let until = async |time: SystemTime| broker.advance(time.duration_since(broker.now()).unwrap()).await;
            until(midnight + HOUR / 2).await;
            testing::drain(worker()).await;
            broker.advance(passing).await;
            testing::drain(worker()).await;
            let mut seen = Vec::from_iter(runs.then(|| Tick::new("hourly", midnight + latest * HOUR)));
            assert_eq!(ticks.seen(), seen, "{missed:?} after {passing:?}");
            let told = told.lock().unwrap().clone();
            assert_eq!(told.len(), usize::from(!runs), "{told:?}");
            assert!(told.iter().all(|why| why.starts_with("missed: 900s late")), "{told:?}");
            // The next one is for another time, and in time.
            until(midnight + (latest + 1) * HOUR).await;
            testing::drain(worker()).await;
            seen.push(Tick::new("hourly", broker.now()));
            assert_eq!(ticks.seen(), seen, "{missed:?}");
        }
    }
}

/// In Vienna, clocks are put forward on 29 March 2026: there is no half past two.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_missed_while_the_clocks_changed_runs_for_a_time_that_was() {
    let at = |day: u64, hour: u64, minute: u64| {
        UNIX_EPOCH + Duration::from_secs(1_772_323_200 + (day - 1) * 86_400 + hour * 3600 + minute * 60)
    };
    for (until, runs_for) in [(at(29, 23, 0), at(28, 1, 30)), (at(30, 0, 45), at(30, 0, 30))] {
        // 1 March, at midnight UTC.
        let broker = Broker::start_at(at(1, 0, 0)).await;
        let queue = broker.queue("jobs").await;
        let ticks = Ticks::default();
        let worker = || {
            let noting = handler(ticks.noting()).name("nightly");
            Worker::new(queue.clone()).cron("30 2 * * *", "Europe/Vienna", noting)
        };
        testing::drain(worker()).await;
        broker.advance(until.duration_since(broker.now()).unwrap()).await;
        testing::drain(worker()).await;
        assert_eq!(ticks.seen(), [Tick::new("nightly", runs_for)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_is_tried_again_is_for_the_same_time_however_late_it_gets() {
    let broker = Broker::start_at(start()).await;
    let queue = broker.queue("jobs").await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let worker = || {
        let seen = seen.clone();
        let failing = handler(move |tick: Tick| {
            seen.lock().unwrap().push(tick.scheduled_at);
            std::future::ready(Err::<(), _>("busy".to_owned()))
        });
        Worker::new(queue.clone()).every("rate(1 day)", failing.name("daily").retry(2 * HOUR).max_attempts(3))
    };
    testing::drain(worker()).await;
    // The server is away for two days and a half, and back at one in the afternoon.
    broker.advance(60 * HOUR + HOUR / 2).await;
    for _ in 0..3 {
        testing::drain(worker()).await;
        broker.advance(2 * HOUR).await;
    }
    assert_eq!(*seen.lock().unwrap(), [start() - HOUR / 2 + 48 * HOUR; 3]);
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
    let worker = hourly(&queue, &Ticks::default());
    let handle = worker.handle();
    let working = tokio::spawn(worker.run());
    broker.advance(HOUR / 2).await;
    let put_back = async || testing::everything(&queue).await.iter().all(|tick| tick.standing != Standing::Ready);
    // Its tick waits for a worker that has it, for an hour after it was first received.
    let mut minutes = 0;
    loop {
        ticking::until(put_back).await;
        if minutes < 60 {
            assert_eq!(names(&queue).await, ["tick.jobs.hourly", "tick.jobs.weekly"], "after {minutes} minutes");
        } else if names(&queue).await == ["tick.jobs.hourly"] {
            break;
        }
        assert!(minutes < 90, "it does not end");
        broker.advance(4 * MINUTE).await;
        minutes += 4;
    }
    handle.stop();
    let ended = working.await.unwrap().unwrap();
    assert_eq!(ended.dropped, 1, "{ended:?}");
    assert!(ended.handed_back > 10, "{ended:?}");
    assert_eq!(testing::dead_letters(&queue).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_that_waited_for_hours_is_left_to_the_version_that_has_its_schedule() {
    let broker = Broker::start_at(start()).await;
    let queue = broker.queue("jobs").await;
    let ticks = Ticks::default();
    let newer = || Worker::new(queue.clone()).every("rate(1 day)", handler(ticks.noting()).name("daily"));
    testing::drain(newer()).await;
    // A day later, all workers are away for hours, and the older ones are the first to be back.
    broker.advance(24 * HOUR).await;
    broker.advance(5 * HOUR).await;
    let older = hourly(&queue, &Ticks::default());
    let handle = older.handle();
    let working = tokio::spawn(older.run());
    let put_back = async || testing::everything(&queue).await.iter().all(|tick| tick.standing != Standing::Ready);
    for _ in 0..5 {
        ticking::until(put_back).await;
        assert_eq!(names(&queue).await, ["tick.jobs.daily", "tick.jobs.hourly"]);
        broker.advance(2 * MINUTE).await;
    }
    handle.stop();
    let ended = working.await.unwrap().unwrap();
    assert_eq!(ended.dropped, 0, "{ended:?}");
    broker.advance(MINUTE).await;
    testing::drain(newer()).await;
    assert_eq!(ticks.seen().len(), 1, "{:?}", ticks.seen());
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
