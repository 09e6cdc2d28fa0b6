use super::{
    digest::{Digest, Outlet},
    notifier::*,
    tally::Tally,
};
use crate::{
    Event, JobInfo,
    sqs::tests::server::{Answer, Server, ok},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, advance, sleep};

fn job(message_type: Option<&str>) -> JobInfo {
    JobInfo {
        queue: "jobs".into(),
        message_id: "m1".into(),
        message_type: message_type.map(Into::into),
        attempt: 3,
        group: None,
        schedule: None,
    }
}

fn missed(superseded: bool) -> Event {
    let job = JobInfo { schedule: Some("hourly".into()), ..job(Some("afterward:tick")) };
    Event::Missed { job, error: "an hour late".into(), superseded }
}

fn dead(message_type: &str, error: &str) -> Event {
    Event::DeadLettered { job: job(Some(message_type)), error: error.into(), dead_letter_queue: "jobs-dlq".into() }
}

fn dropped(error: &str) -> Event {
    Event::Dropped { job: job(None), error: error.into(), reason: "too late".into() }
}

fn late(schedule: &str) -> Event {
    Event::ScheduleFailed { schedule: schedule.into(), error: "no queue".into() }
}

fn failed() -> Event {
    Event::AttemptFailed { job: job(Some("mail")), error: "busy".into(), retry_in: Duration::from_secs(3) }
}

#[test]
fn a_lone_event_is_its_own_line_and_many_are_counts() {
    let repeated = |event: Event, times: usize| std::iter::repeat_n(event, times);
    let burst: Vec<Event> =
        repeated(dead("order:new", "no card"), 30).chain(repeated(dead("mail", "no host"), 7)).collect();
    let many = (0..8).map(|n| dead(&format!("t{n}"), "x")).collect();
    for (events, span_s, text) in [
        (vec![dead("mail", "no host")], 2, "`mail` m1 of `jobs` was moved to `jobs-dlq` at attempt 3: no host"),
        (burst, 60, "37 jobs dead-lettered in the last minute: order:new ×30, mail ×7. Of order:new: no card"),
        (
            vec![late("hourly"), dropped("a"), dropped("b")],
            0,
            "2 jobs dropped in the last 1 s: without type in jobs ×2. Of without type in jobs: b\n\
             1 scheduled run failed in the last 1 s: hourly ×1. Of hourly: no queue",
        ),
        (
            vec![missed(true), missed(false)],
            1,
            "2 scheduled runs missed in the last 1 s: hourly ×2. Of hourly: an hour late",
        ),
        (many, 150, "8 jobs dead-lettered in the last 3 minutes: t0 ×1, t1 ×1, t2 ×1, t3 ×1, t4 ×1, …. Of t0: x"),
    ] {
        let (mut tally, start) = (Tally::default(), Instant::now());
        events.iter().for_each(|event| tally.add(event, start));
        assert_eq!(tally.notice(start + Duration::from_secs(span_s)).text, text);
    }
}

#[test]
fn a_tally_stays_small() {
    let (mut tally, now) = (Tally::default(), Instant::now());
    for n in 0..10_000 {
        tally.add(&dead(&format!("type:{n}"), &"x".repeat(10_000)), now);
    }
    let notice = tally.notice(now);
    assert!(notice.text.starts_with("10000 jobs dead-lettered in the last 1 s: others ×9950, "), "{}", notice.text);
    assert!(serde_json::to_vec(&notice).unwrap().len() < 51 * 400);
}

/// What was told, after how many seconds.
type Texts = Arc<Mutex<Vec<(u64, String)>>>;

/// An outlet that keeps what it is given, after how many seconds, and fails as often as it is told.
fn kept(failures: usize) -> (Texts, Outlet) {
    let (start, texts, failures) = (Instant::now(), Texts::default(), Arc::new(Mutex::new(failures)));
    let keep = texts.clone();
    let outlet: Outlet = Box::new(move |notice| {
        let (keep, failures) = (keep.clone(), failures.clone());
        Box::pin(async move {
            let mut failures = failures.lock().unwrap();
            if *failures > 0 {
                *failures -= 1;
                return Err(slack_at("http://127.0.0.1:1").unwrap().refused());
            }
            keep.lock().unwrap().push((start.elapsed().as_secs(), notice.text));
            Ok(())
        })
    });
    (texts, outlet)
}

fn times(texts: &Mutex<Vec<(u64, String)>>) -> Vec<(u64, u64)> {
    let count = |text: &String| text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(1);
    texts.lock().unwrap().iter().map(|(at, text)| (*at, count(text))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_notice_and_the_next_comes_a_minute_later() {
    let (texts, outlet) = kept(0);
    let digest = Digest::through(outlet);
    let hook = digest.hook();
    for _ in 0..37 {
        hook(&dead("order:new", "no card"));
    }
    hook(&failed());
    hook(&missed(true));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(times(&texts), [(2, 37)]);
    (0..5).for_each(|_| hook(&dead("order:new", "no card")));
    sleep(Duration::from_secs(30)).await;
    hook(&dead("mail", "no host"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(times(&texts), [(2, 37), (62, 6)]);
    // After a quiet time, at once again.
    sleep(Duration::from_secs(3600)).await;
    hook(&late("hourly"));
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(times(&texts), [(2, 37), (62, 6), (3702, 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_told_with_the_next() {
    let (texts, outlet) = kept(2);
    let digest = Digest::through(outlet).every(Duration::from_secs(10)).watching(|_| true);
    digest.note(&failed());
    digest.note(&failed());
    sleep(Duration::from_secs(5)).await;
    digest.note(&failed());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(times(&texts), [(22, 3)]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_called_without_a_pause_who_did_not_answer() {
    for (every_s, times) in [(0, &[0, 1, 3, 7, 15, 31, 63, 123, 183][..]), (30, &[2, 32, 62, 92, 122, 152, 184, 244])] {
        let (start, tries) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let (keep, failures) = (tries.clone(), times.len() - 1);
        let digest = Digest::through(Box::new(move |_| {
            let keep = keep.clone();
            Box::pin(async move {
                let mut keep = keep.lock().unwrap();
                keep.push(start.elapsed().as_secs());
                let refused = || slack_at("http://127.0.0.1:1").unwrap().refused();
                if keep.len() <= failures { Err(refused()) } else { Ok(()) }
            })
        }))
        .every(Duration::from_secs(every_s));
        digest.note(&late("hourly"));
        sleep(Duration::from_secs(1_000)).await;
        assert_eq!(*tries.lock().unwrap(), times, "every {every_s} s");
        // It has come, so the next waits for nothing.
        digest.note(&late("hourly"));
        sleep(Duration::from_secs(1_000)).await;
        assert_eq!(tries.lock().unwrap()[times.len()..], [1_000 + every_s.min(2)], "every {every_s} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_run_that_failed_is_counted_once() {
    let run = |schedule: &str| JobInfo { schedule: Some(schedule.into()), ..job(Some("afterward:tick")) };
    let dead = |schedule: &str, error: &str| Event::DeadLettered {
        job: run(schedule),
        error: error.into(),
        dead_letter_queue: "jobs-dlq".into(),
    };
    let dropped =
        |error: &str| Event::Dropped { job: run("hourly"), error: error.into(), reason: "not worth it".into() };
    let lone = "the schedule `hourly` failed: no queue";
    let two = "2 scheduled runs failed in the last 2 s: hourly ×2. Of hourly: no queue";
    for (events, text) in [
        (vec![late("hourly"), dead("hourly", "no queue")], lone),
        (vec![late("hourly"), dropped("no queue")], lone),
        (vec![late("hourly"), late("hourly"), dead("hourly", "no queue"), dead("hourly", "no queue")], two),
        // Of these nobody told before.
        (
            vec![dropped("nobody has it")],
            "the tick m1 of the schedule `hourly` was dropped at attempt 3 (not worth it): nobody has it",
        ),
        (
            vec![late("hourly"), dead("daily", "no queue")],
            "1 job dead-lettered in the last 2 s: daily ×1. Of daily: no queue\n\
             1 scheduled run failed in the last 2 s: hourly ×1. Of hourly: no queue",
        ),
    ] {
        let (texts, outlet) = kept(0);
        let digest = Digest::through(outlet);
        events.iter().for_each(|event| digest.note(event));
        sleep(Duration::from_secs(10)).await;
        assert_eq!(texts.lock().unwrap().iter().map(|(_, text)| &**text).collect::<Vec<_>>(), [text], "{events:?}");
    }
    // Also where its message takes so long to be moved that the notice has gone.
    let (texts, outlet) = kept(0);
    let digest = Digest::through(outlet);
    digest.note(&late("hourly"));
    sleep(Duration::from_secs(10)).await;
    digest.note(&dead("hourly", "no queue"));
    sleep(Duration::from_secs(100)).await;
    assert_eq!(times(&texts), [(2, 1)]);
    // Who does not want to know of failed runs is told of the dead letter.
    let (texts, outlet) = kept(0);
    let digest = Digest::through(outlet).watching(|event| event.job().is_some());
    [late("hourly"), dead("hourly", "no queue")].iter().for_each(|event| digest.note(event));
    sleep(Duration::from_secs(10)).await;
    assert!(texts.lock().unwrap()[0].1.contains("was moved to `jobs-dlq`"));
}

#[cfg(feature = "testing")]
#[tokio::test]
async fn a_tick_that_a_worker_gives_up_is_a_notice_of_one_line() {
    use crate::{Tick, Worker, handler, testing};
    async fn report(_: Tick) -> Result<(), String> {
        Err("no paper".to_owned())
    }
    let broker = testing::Broker::start().await;
    let jobs = broker.queue("jobs").max_receives(1).await;
    let (texts, outlet) = kept(0);
    let digest = Digest::through(outlet);
    let worker =
        || Worker::new(jobs.clone()).every("rate(1 minute)", handler(report).name("report")).on_event(digest.hook());
    testing::drain(worker()).await;
    broker.advance(Duration::from_secs(61)).await;
    assert_eq!(testing::drain(worker()).await.dead_lettered, 1);
    digest.flush().await;
    let texts: Vec<String> = texts.lock().unwrap().iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts, ["the schedule `report` failed: no paper"]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_a_notice_that_is_on_its_way() {
    for fails in [false, true] {
        let (delivered, attempts) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (keep, count) = (delivered.clone(), attempts.clone());
        let digest = Digest::through(Box::new(move |notice| {
            let (keep, count) = (keep.clone(), count.clone());
            Box::pin(async move {
                *count.lock().unwrap() += 1;
                sleep(Duration::from_secs(5)).await;
                if fails && *count.lock().unwrap() == 1 {
                    return Err(slack_at("http://127.0.0.1:1").unwrap().refused());
                }
                keep.lock().unwrap().push(notice.text);
                Ok(())
            })
        }));
        digest.note(&late("hourly"));
        // It is sent after two seconds, and takes five.
        sleep(Duration::from_secs(3)).await;
        assert_eq!((*attempts.lock().unwrap(), delivered.lock().unwrap().len()), (1, 0));
        digest.flush().await;
        assert_eq!((*attempts.lock().unwrap(), delivered.lock().unwrap().len()), (1 + usize::from(fails), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_gathered_at_the_end_is_sent_by_a_flush() {
    let (texts, outlet) = kept(0);
    let digest = Digest::through(outlet);
    digest.flush().await;
    digest.note(&dead("mail", "no host"));
    digest.flush().await;
    advance(Duration::from_secs(100)).await;
    assert_eq!(times(&texts), [(0, 1)]);
}

#[tokio::test]
async fn slack_and_webhooks_get_what_they_understand() {
    let server = Server::ruled(|_| ok("ok")).await;
    let url = format!("{}/services/T0/B0/secret?x=1", server.url());
    slack_at(&url).unwrap().send(&format!("hello <{}>", "x".repeat(5_000))).await.unwrap();
    slack_at(&url).unwrap().post(&json!({"blocks": []})).await.unwrap();
    for notifier in [slack_at(&url).unwrap(), webhook(&url).unwrap()] {
        let digest = Digest::new(notifier);
        digest.note(&dead("mail", "<no> & no host"));
        digest.flush().await;
    }
    let bodies = server.bodies();
    assert_eq!(bodies[0]["text"].as_str().unwrap().chars().count(), 3_001);
    assert_eq!(bodies[1], json!({"blocks": []}));
    let line = "`mail` m1 of `jobs` was moved to `jobs-dlq` at attempt 3: ";
    assert_eq!(bodies[2], json!({ "text": format!("{line}&lt;no&gt; &amp; no host") }));
    let count = json!({"event": "dead_lettered", "name": "mail", "count": 1, "last_error": "<no> & no host"});
    assert_eq!(bodies[3], json!({ "text": format!("{line}<no> & no host"), "counts": [count] }));
    let asked = &server.asked()[0];
    assert_eq!((asked.method().as_str(), asked.uri().path()), ("POST", "/services/T0/B0/secret"));
    assert_eq!(
        (asked.uri().query(), &asked.headers()["content-type"]),
        (Some("x=1"), &"application/json".parse().unwrap())
    );
}

#[tokio::test]
async fn a_failure_is_logged_or_told_and_never_shows_the_address() {
    let server = Server::ruled(|_| Answer::Reply(403, "invalid_token".to_owned())).await;
    let notifier = slack_at(&format!("{}/services/secret", server.url())).unwrap();
    notifier.send("hello").await.unwrap();
    let error = notifier.clone().on_failure(OnFailure::Fail).send("hello").await.unwrap_err().to_string();
    assert!(error.ends_with("Forbidden (HTTP 403): invalid_token") && !error.contains("secret"), "{error}");
    assert!(!format!("{notifier:?}").contains("secret"));
    let away = slack_at("http://127.0.0.1:1/services/secret").unwrap().on_failure(OnFailure::Fail);
    let error = away.send("hello").await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:1: no connection") && !error.contains("secret"), "{error}");
    for bad in ["", "hooks.slack.com", "/services/secret", "ftp://secret", "https://a b/secret"] {
        let error = webhook(bad).unwrap_err().to_string();
        assert!(error.contains("not an address") && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn without_a_place_nothing_is_sent() {
    let nowhere = Notifier::nowhere();
    assert!(!nowhere.is_configured());
    nowhere.on_failure(OnFailure::Fail).post(&Value::Null).await.unwrap();
    for (setting, is_configured) in
        [(None, false), (Some(""), false), (Some(" "), false), (Some("http://127.0.0.1:1/x "), true)]
    {
        assert_eq!(slack_by(setting).unwrap().is_configured(), is_configured, "{setting:?}");
    }
    let error = slack_by(Some("hooks/secret")).unwrap_err().to_string();
    assert!(error.starts_with("SLACK_URL: not an address") && !error.contains("secret"), "{error}");
}

#[test]
fn an_address_that_others_could_read_on_the_way_is_refused() {
    for (url, refused) in [
        ("http://hooks.example.com/services/secret", true),
        ("http://10.0.0.1/x", true),
        ("http://127.0.0.1:1/x", false),
        ("http://localhost:1/x", false),
    ] {
        for told in [slack_at(url), webhook(url)].map(|made| made.err().map(|error| error.to_string())) {
            assert_eq!(told.is_some(), refused, "{url}: {told:?}");
            assert!(told.is_none_or(|told| told.contains("by https") && !told.contains("/services")), "{url}");
        }
    }
}
