//! HTTP targets, against a server that stands in for them.

use crate::{
    rig::{MINUTE, Rig, With, attributes, body, definition, until},
    stand_in::{HEAD_ALONE, SILENCE, StandIn},
};
use afterward_scheduler::HttpTargets;
use std::time::Duration;

const ONCE: &str = "at(2026-11-22T05:00:00)";
const HTTP: &str = "arn:aws:scheduler:::afterward:http";

#[tokio::test]
async fn a_url_is_posted_the_input() {
    let mut web = StandIn::answering(&[]).await;
    let rig = Rig::new();
    let input = r#"{"at":"<aws.scheduler.scheduled-time>"}"#;
    let url = format!("{}/hook?a=1", web.url.replace("http://", "HTTP://"));
    rig.schedule("s", &definition(ONCE, &url).input(input)).await;
    let asked = web.asked().await;
    assert_eq!(asked.line, "POST /hook?a=1 HTTP/1.1");
    assert_eq!(asked.body, r#"{"at":"2026-11-22T05:00:00Z"}"#);
    assert_eq!(asked.headers["content-type"], "application/json");
    assert!(asked.headers["user-agent"].starts_with("afterward/"));
    rig.nothing_pending().await;
    assert!(web.is_done());
}

#[tokio::test]
async fn a_request_is_made_as_described() {
    let mut web = StandIn::answering(&[]).await;
    let rig = Rig::new();
    let input = format!(
        r#"{{"Url":"{}/runs/<aws.scheduler.execution-id>","Method":"PUT","Headers":{{"X-Attempt":"<aws.scheduler.attempt-number>"}},"Body":{{"a":[1]}}}}"#,
        web.url
    );
    rig.schedule("s", &definition(ONCE, HTTP).input(&input)).await;
    let asked = web.asked().await;
    assert!(asked.line.starts_with("PUT /runs/") && !asked.line.contains('<'), "{}", asked.line);
    assert_eq!((asked.headers["x-attempt"].as_str(), asked.body.as_str()), ("1", r#"{"a":[1]}"#));
    rig.nothing_pending().await;
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_longer_waits() {
    let mut web = StandIn::answering(&[503, 429, 500]).await;
    let rig = Rig::new();
    rig.schedule("s", &definition(ONCE, &web.url).input("<aws.scheduler.attempt-number>")).await;
    let mut failure = None;
    for (attempt, longest_ms) in [(1, 1_000), (2, 2_000), (3, 4_000)] {
        assert_eq!(web.asked().await.body, attempt.to_string());
        let wait_ms;
        (wait_ms, failure) = rig.next_try(failure).await;
        assert!((longest_ms / 2..=longest_ms).contains(&wait_ms), "{wait_ms}");
    }
    assert_eq!(web.asked().await.body, "4");
    rig.nothing_pending().await;
    assert!(web.is_done());
}

#[tokio::test]
async fn an_answer_that_will_not_change_ends_the_call() {
    for status in [302, 400, 404] {
        let mut web = StandIn::answering(&[status]).await;
        let rig = Rig::new();
        let dead = rig.queue("dead").await;
        rig.schedule("s", &definition(ONCE, &web.url).dead_letters_to("dead")).await;
        web.asked().await;
        let letter = rig.one(&dead).await;
        let said = attributes(&letter);
        assert_eq!(said["ERROR_CODE"], format!("HTTP_{status}"));
        assert!(said["ERROR_MESSAGE"].ends_with(&format!("no: {status}")), "{said:?}");
        assert_eq!((said["RETRY_ATTEMPTS"].as_str(), body(&letter).as_str()), ("0", "2026-11-22T05:00:00Z"));
        rig.nothing_pending().await;
        assert!(web.is_done(), "a redirect is not followed");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    // A port that is taken, and that nobody listens on.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let unused = format!("http://{}", taken.local_addr().unwrap());
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    rig.schedule("s", &definition(ONCE, &unused).retries(1).dead_letters_to("dead")).await;
    rig.next_try(None).await;
    let said = attributes(&rig.one(&dead).await);
    assert_eq!((said["ERROR_CODE"].as_str(), said["RETRY_ATTEMPTS"].as_str()), ("ConnectionFailed", "1"));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_spoken_to_without() {
    let mut web = StandIn::answering(&[]).await;
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    let https = web.url.replace("http://", "https://");
    rig.schedule("s", &definition(ONCE, &https).retries(0).dead_letters_to("dead")).await;
    let said = attributes(&rig.one(&dead).await);
    // Or the system has no certificates to trust, and none can be trusted.
    assert!(matches!(said["ERROR_CODE"].as_str(), "ConnectionFailed" | "NoCertificates"), "{said:?}");
    assert!(web.is_done());
}

#[tokio::test]
async fn a_restart_between_attempts_goes_on_counting() {
    let mut web = StandIn::answering(&[503, 503]).await;
    let rig = Rig::new();
    rig.schedule("s", &definition(ONCE, &web.url).input("<aws.scheduler.attempt-number>")).await;
    assert_eq!(web.asked().await.body, "1");
    let (_, failure) = rig.next_try(None).await;
    assert_eq!(web.asked().await.body, "2");
    until("the second attempt is noted", async || rig.pending().await[0].1 != failure).await;

    let rig = rig.kill_and_return_after(MINUTE);
    assert_eq!(web.asked().await.body, "3");
    rig.nothing_pending().await;
    assert!(web.is_done());
}

#[tokio::test]
async fn a_kill_during_a_call_has_it_made_again() {
    let mut web = StandIn::answering(&[SILENCE]).await;
    let rig = Rig::new();
    rig.schedule("s", &definition(ONCE, &web.url).input("<aws.scheduler.attempt-number>")).await;
    assert_eq!(web.asked().await.body, "1");

    let rig = rig.kill_and_return_after(MINUTE);
    assert_eq!(web.asked().await.body, "2");
    rig.nothing_pending().await;
}

#[tokio::test]
async fn a_kill_during_the_last_attempt_is_told_to_the_dead_letter_queue() {
    let mut web = StandIn::answering(&[SILENCE]).await;
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    rig.schedule("s", &definition(ONCE, &web.url).retries(0).dead_letters_to("dead")).await;
    web.asked().await;

    let rig = rig.kill_and_return_after(MINUTE);
    assert_eq!(attributes(&rig.one(&dead).await)["ERROR_CODE"], "Interrupted");
    rig.nothing_pending().await;
    assert!(web.is_done());
}

#[tokio::test]
async fn a_stop_waits_for_the_calls_under_way_and_no_longer_than_it_is_told() {
    let mut web = StandIn::answering(&[200, SILENCE]).await;
    let rig = Rig::new();
    rig.schedule("quick", &definition(ONCE, &web.url)).await;
    web.asked().await;
    rig.nothing_pending().await;
    rig.schedule("never", &definition(ONCE, &web.url)).await;
    web.asked().await;
    rig.runner.stop(Duration::from_millis(10)).await;
    assert_eq!(rig.pending().await.len(), 1, "it is there for the next start");
    rig.clock.advance(Duration::from_secs(3600));
    rig.schedule("after", &definition("rate(1 hour)", &web.url)).await;
    assert!(web.is_done(), "nothing is begun after a stop");
}

#[tokio::test]
async fn a_call_that_was_taken_is_not_made_again_because_the_rest_of_the_answer_is_slow() {
    let mut web = StandIn::answering(&[HEAD_ALONE]).await;
    let rig = Rig::new();
    let dead = rig.queue("dead").await;
    rig.schedule("s", &definition(ONCE, &web.url).retries(0).dead_letters_to("dead")).await;
    web.asked().await;
    rig.nothing_pending().await;
    assert_eq!(rig.bodies(&dead).await, [""; 0]);
    assert!(web.is_done());
}

#[tokio::test]
async fn a_call_that_is_cut_off_by_a_stop_is_made_again_as_the_attempt_that_it_is() {
    let mut web = StandIn::answering(&[SILENCE]).await;
    let rig = Rig::new();
    let only_once = definition(ONCE, &web.url).input("<aws.scheduler.attempt-number>").retries(0);
    rig.schedule("s", &only_once).await;
    assert_eq!(web.asked().await.body, "1");
    rig.runner.stop(Duration::ZERO).await;
    let rig = rig.kill_and_return_after(0);
    assert_eq!(web.asked().await.body, "1");
    rig.nothing_pending().await;
    assert!(web.is_done());
}

#[tokio::test]
async fn what_is_internal_is_not_called_where_only_the_internet_may_be_and_nothing_where_it_is_off() {
    let mut web = StandIn::answering(&[]).await;
    let port = web.url.rsplit(':').next().unwrap().to_owned();
    // An address as URLs have it, a name, and an address as only the system's resolver understands it.
    let urls = [web.url.clone(), format!("http://localhost:{port}"), format!("http://127.1:{port}/x")];
    for (targets, why) in [(HttpTargets::Public, "not the internet's"), (HttpTargets::Off, "is `off`")] {
        for url in &urls {
            let rig = Rig::reaching(targets);
            let dead = rig.queue("dead").await;
            rig.schedule("s", &definition(ONCE, url).dead_letters_to("dead")).await;
            let told = attributes(&rig.one(&dead).await);
            assert_eq!(told["ERROR_CODE"], "OutOfReach", "{url}: {told:?}");
            assert!(told["ERROR_MESSAGE"].contains(why), "{url}: {told:?}");
            rig.nothing_pending().await;
        }
    }
    assert!(web.is_done(), "nobody has called");
}
