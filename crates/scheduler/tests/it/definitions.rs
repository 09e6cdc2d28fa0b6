//! What a definition may ask for.

use crate::rig::{START_MS, With, arn, definition, schedule};
use afterward_scheduler::{Definition, RetryPolicy, Schedule, WindowDefinition};

const UNIVERSAL: &str = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
const HTTP: &str = "arn:aws:scheduler:::afterward:http";

fn ok() -> Definition {
    definition("rate(1 minute)", &arn("jobs"))
}

fn retry(age_s: u32, retries: u32) -> Definition {
    let retry = RetryPolicy { maximum_event_age_s: Some(age_s), maximum_retry_attempts: Some(retries) };
    ok().with(|d| d.target.retry = Some(retry))
}

fn target(arn: &str, input: &str) -> Definition {
    definition("rate(1 minute)", arn).input(input)
}

#[test]
fn what_makes_sense_is_taken() {
    for definition in [
        ok(),
        retry(60, 0),
        retry(86_400, 185),
        ok().with(|d| d.window = WindowDefinition::Flexible { minutes: 1440 }),
        ok().with(|d| d.zone = Some("America/New_York".into())),
        ok().in_group("g"),
        target(&arn("jobs.fifo"), "x").in_group("g"),
        target(UNIVERSAL, r#"{"QueueUrl":"jobs","MessageBody":"x","DelaySeconds":900}"#),
        target(HTTP, r#"{"Url":"https://example.com/"}"#),
        target("https://example.com/<aws.scheduler.execution-id>", "x"),
        target("HTTP://127.0.0.1/x", "x"),
        target("Https://example.com", "x"),
        target("http://[::1]:8080/x", "x"),
        target("http://localhost:/x", "x"),
        target(HTTP, r#"{"Url":"HTTPS://example.com/"}"#),
    ] {
        Schedule::of(&schedule("s"), &definition).unwrap();
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    for (definition, reason) in [
        (definition("rate(1 week)", &arn("jobs")), "Invalid Schedule Expression rate(1 week). rate(1 week): the unit"),
        (ok().with(|d| d.zone = Some("Mars/Olympus".into())), "\"Mars/Olympus\" is not a time zone"),
        (ok().with(|d| (d.start_ms, d.end_ms) = (Some(START_MS), Some(START_MS))), "EndDate"),
        (ok().with(|d| d.window = WindowDefinition::Flexible { minutes: 0 }), "MaximumWindowInMinutes"),
        (ok().with(|d| d.window = WindowDefinition::Flexible { minutes: 1441 }), "1441"),
        (retry(59, 0), "MaximumEventAgeInSeconds must be between 60 and 86400, and it is 59."),
        (retry(60, 186), "MaximumRetryAttempts must be between 0 and 185, and it is 186."),
        (ok().dead_letters_to("dead.fifo"), "standard SQS queue"),
        (ok().with(|d| d.target.dead_letter_arn = Some("dead".into())), "standard SQS queue"),
        (target("arn:aws:lambda:us-east-1:000000000000:function:f", "{}"), "is not supported. Supported are"),
        (target("arn:aws:scheduler:::aws-sdk:sqs:purgeQueue", "{}"), "is not supported"),
        (target("https:///nowhere", ""), "is not supported"),
        (target("http://example.com:port/x", ""), "is not supported"),
        (target(HTTP, r#"{"Url":"http://[::1]:65536/"}"#), "its port is not a number up to 65535"),
        (target(&arn("jobs.fifo"), "x"), "MessageGroupId"),
        (ok().in_group("a b"), "MessageGroupId"),
        (ok().input("\u{1}"), "Invalid binary character '#x1'"),
        (target(HTTP, r#"{"Url":"https://example.com/"}"#).in_group("g"), "SqsParameters"),
        (target(UNIVERSAL, "").with(|d| d.target.input = None), "SendMessage's parameters"),
        (target(UNIVERSAL, r#"{"QueueUrl":"jobs"}"#), "MessageBody"),
        (target(UNIVERSAL, r#"{"QueueUrl":"jobs","MessageBody":""}"#), "empty"),
        (target(UNIVERSAL, r#"{"QueueUrl":"a b","MessageBody":"x"}"#), "a b is not the URL of a queue"),
        (target(UNIVERSAL, r#"{"QueueUrl":"jobs","MessageBody":"x","DelaySeconds":901}"#), "DelaySeconds"),
        (target(UNIVERSAL, r#"{"QueueUrl":"jobs","MessageBody":"x","Delay":1}"#), "unknown field `Delay`"),
        (target(HTTP, "{}"), "missing field `Url`"),
        (target(HTTP, r#"{"Url":"ftp://example.com/"}"#), "http:// or https://"),
        (target(HTTP, r#"{"Url":"https://u:p@example.com/"}"#), "Authorization"),
        (target(HTTP, r#"{"Url":"https://example.com/","Method":"G ET"}"#), "not an HTTP method"),
        (target(HTTP, r#"{"Url":"https://example.com/","Headers":{"Host":"x"}}"#), "host can't be set"),
        (target(HTTP, r#"{"Url":"https://example.com/","Headers":{"X":"a\nb"}}"#), "can't be sent"),
    ] {
        let told = Schedule::of(&schedule("s"), &definition).unwrap_err().to_string();
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn a_password_in_a_url_is_refused_with_where_it_belongs_and_not_repeated() {
    for (definition, reason) in [
        (target("http://user:secret@127.0.0.1/x", ""), "`Headers` of the target arn:aws:scheduler:::afterward:http"),
        (target("HTTPS://user:secret@example.com", ""), "`Headers` of the target"),
        (target("http://secret@example.com?a=b", ""), "`Headers` of the target"),
        (target("http://user:s/secret@example.com/x", ""), "http://…@example.com/x is not supported"),
        (target("ftp://user:secret@example.com/x", ""), "ftp://…@example.com/x is not supported"),
        (target(HTTP, r#"{"Url":"https://user:secret@example.com/"}"#), "Authorization"),
        (target(HTTP, r#"{"Url":"https://user:se cret@example.com/"}"#), "Authorization"),
        (target(HTTP, r#"{"Url":"https://user:s/secret@example.com/"}"#), "https://…@example.com/ is not a URL"),
    ] {
        let told = Schedule::of(&schedule("s"), &definition).unwrap_err().to_string();
        assert!(told.contains(reason) && !told.contains("secret") && !told.contains("cret"), "{told}");
    }
}
