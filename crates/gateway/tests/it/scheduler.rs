//! EventBridge Scheduler's 12 actions: what they keep, what they refuse, and whose it is.

use crate::rig::{Reply, Rig, START_MS, authorization};
use afterward_names::ScheduleArn;
use afterward_scheduler::HttpTargets;
use serde_json::{Value, json};

const GROUP_ARN: &str = "arn:aws:scheduler:us-east-1:000000000000:schedule-group";

pub(crate) fn schedule() -> Value {
    json!({
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "arn:aws:sqs:us-east-1:000000000000:chores",
            "RoleArn": "arn:aws:iam::000000000000:role/any",
        },
    })
}

/// `schedule` with these members instead.
fn with(members: Value) -> Value {
    let mut body = schedule();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn with_target(members: Value) -> Value {
    let mut body = schedule();
    for (name, value) in members.as_object().unwrap() {
        body["Target"][name] = value.clone();
    }
    body
}

pub(crate) async fn rest(rig: &Rig, method: &str, path: &str, body: Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    rig.send(rig.request(method, path).header("content-type", "application/json").body(body.into()).unwrap()).await
}

/// The same, which has to succeed.
pub(crate) async fn done(rig: &Rig, method: &str, path: &str, body: Value) -> Value {
    let reply = rest(rig, method, path, body).await;
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.body);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

async fn names(rig: &Rig, path: &str) -> Vec<String> {
    let page = done(rig, "GET", path, Value::Null).await;
    let list = page.get("Schedules").or(page.get("ScheduleGroups")).unwrap().as_array().unwrap();
    list.iter().map(|item| item["Name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_schedule_is_made_shown_replaced_and_deleted() {
    let rig = Rig::start().await;
    let full = json!({
        "ScheduleExpression": "cron(0 8 ? * MON-FRI *)",
        "ScheduleExpressionTimezone": "Europe/Vienna",
        "StartDate": START_MS / 1000,
        "EndDate": START_MS / 1000 + 86_400,
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "State": "DISABLED",
        "ActionAfterCompletion": "DELETE",
        "Description": "every working day",
        "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k",
        "ClientToken": "t-1",
        "Target": {
            "Arn": "arn:aws:sqs:us-east-1:000000000000:chores.fifo",
            "RoleArn": "arn:aws:iam::000000000000:role/any",
            "Input": "{\"n\":1}",
            "SqsParameters": {"MessageGroupId": "g"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:000000000000:dead"},
        },
    });
    let made = done(&rig, "POST", "/schedules/daily", full.clone()).await;
    assert_eq!(made, json!({"ScheduleArn": "arn:aws:scheduler:us-east-1:000000000000:schedule/default/daily"}));
    let mut expected = full.clone();
    for (name, value) in [
        ("Arn", made["ScheduleArn"].clone()),
        ("Name", json!("daily")),
        ("GroupName", json!("default")),
        ("CreationDate", json!(START_MS / 1000)),
        ("LastModificationDate", json!(START_MS / 1000)),
    ] {
        expected[name] = value;
    }
    expected.as_object_mut().unwrap().remove("ClientToken");
    assert_eq!(done(&rig, "GET", "/schedules/daily?groupName=default", Value::Null).await, expected);
    let listed = done(&rig, "GET", "/schedules", Value::Null).await;
    assert_eq!(listed["Schedules"][0]["Target"], json!({"Arn": expected["Target"]["Arn"]}));
    assert_eq!(listed["Schedules"][0]["State"], "DISABLED");

    rig.pass(5);
    done(&rig, "PUT", "/schedules/daily", schedule()).await;
    let replaced = done(&rig, "GET", "/schedules/daily", Value::Null).await;
    let target = json!({
        "Arn": "arn:aws:sqs:us-east-1:000000000000:chores",
        "RoleArn": "arn:aws:iam::000000000000:role/any",
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
    });
    assert_eq!(
        replaced,
        json!({
            "Arn": made["ScheduleArn"], "Name": "daily", "GroupName": "default",
            "ScheduleExpression": "rate(1 hour)", "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"}, "State": "ENABLED", "ActionAfterCompletion": "NONE",
            "Target": target,
            "CreationDate": START_MS / 1000, "LastModificationDate": START_MS / 1000 + 5,
        }),
        "what an update does not say is as if it had never been said"
    );
    assert_eq!(done(&rig, "DELETE", "/schedules/daily", Value::Null).await, json!({}));
    let gone = rest(&rig, "GET", "/schedules/daily", Value::Null).await;
    assert_eq!((gone.status, gone.header("x-amzn-errortype")), (404, "ResourceNotFoundException"));
}

#[tokio::test]
async fn requests_that_come_again_succeed_again() {
    let rig = Rig::start().await;
    let first = with(json!({"ClientToken": "t"}));
    done(&rig, "POST", "/schedules/s", first.clone()).await;
    rig.pass(1);
    done(&rig, "POST", "/schedules/s", first.clone()).await;
    for other in [
        with(json!({"ClientToken": "u"})),
        schedule(),
        with(json!({"ClientToken": "t", "ScheduleExpression": "rate(2 hours)"})),
    ] {
        let refused = rest(&rig, "POST", "/schedules/s", other.clone()).await;
        assert_eq!((refused.status, refused.header("x-amzn-errortype")), (409, "ConflictException"), "{other}");
        assert_eq!(refused.json()["Message"], "Schedule s already exists.");
    }
    for (method, path, body) in [
        ("DELETE", "/schedules/s?clientToken=t", Value::Null),
        ("POST", "/schedule-groups/g", json!({"ClientToken": "t"})),
        ("DELETE", "/schedule-groups/g?clientToken=t", Value::Null),
    ] {
        done(&rig, method, path, body.clone()).await;
        done(&rig, method, path, body.clone()).await;
        let other = if body.is_null() { Value::Null } else { json!({"ClientToken": "u"}) };
        let refused = rest(&rig, method, &path.replace("=t", "=u"), other).await;
        assert!(matches!(refused.status, 404 | 409), "{method} {path}: {}", refused.body);
    }
}

#[tokio::test]
async fn groups_have_tags_and_take_their_schedules_with_them() {
    let rig = Rig::start().await;
    let tags = json!([{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "b"}]);
    let made = done(&rig, "POST", "/schedule-groups/reports", json!({"Tags": tags})).await;
    assert_eq!(made, json!({"ScheduleGroupArn": format!("{GROUP_ARN}/reports")}));
    let shown = done(&rig, "GET", "/schedule-groups/reports", Value::Null).await;
    assert_eq!(
        shown,
        json!({"Arn": made["ScheduleGroupArn"], "Name": "reports", "State": "ACTIVE",
            "CreationDate": START_MS / 1000, "LastModificationDate": START_MS / 1000})
    );
    assert_eq!(names(&rig, "/schedule-groups").await, ["default", "reports"]);
    assert_eq!(names(&rig, "/schedule-groups?NamePrefix=r").await, ["reports"]);

    let tagged = format!("/tags/{}", format!("{GROUP_ARN}/reports").replace(':', "%3A").replace('/', "%2F"));
    done(&rig, "POST", &tagged, json!({"Tags": [{"Key": "team", "Value": "c"}]})).await;
    done(&rig, "DELETE", &format!("{tagged}?TagKeys=stage&TagKeys=none"), Value::Null).await;
    let tags = done(&rig, "GET", &tagged, Value::Null).await;
    assert_eq!(tags, json!({"Tags": [{"Key": "team", "Value": "c"}]}));

    done(&rig, "POST", "/schedules/s", with(json!({"GroupName": "reports"}))).await;
    done(&rig, "POST", "/schedules/s", schedule()).await;
    assert_eq!(names(&rig, "/schedules?ScheduleGroup=reports").await, ["s"]);
    assert_eq!(names(&rig, "/schedules").await, ["s", "s"], "one in each group");
    done(&rig, "DELETE", "/schedule-groups/reports", Value::Null).await;
    let gone = rest(&rig, "GET", "/schedules/s?groupName=reports", Value::Null).await;
    assert_eq!(gone.status, 404);
    assert_eq!(names(&rig, "/schedules").await, ["s"]);
    assert_eq!(rest(&rig, "GET", "/schedule-groups/reports", Value::Null).await.status, 404);
}

#[tokio::test]
async fn lists_come_page_by_page() {
    let rig = Rig::start().await;
    done(&rig, "POST", "/schedule-groups/b", json!({})).await;
    let mut expected = Vec::new();
    for number in 0..45 {
        let (group, state) = if number % 3 == 0 { ("b", "DISABLED") } else { ("default", "ENABLED") };
        let name = format!("n-{number:02}");
        let body = with(json!({"GroupName": group, "State": state}));
        done(&rig, "POST", &format!("/schedules/{name}"), body).await;
        expected.push((group, name));
    }
    expected.sort();
    for (query, wanted) in [
        ("", expected.clone()),
        ("&State=DISABLED", expected.iter().filter(|(group, _)| *group == "b").cloned().collect()),
        ("&ScheduleGroup=default", expected.iter().filter(|(group, _)| *group == "default").cloned().collect()),
        ("&NamePrefix=n-1", expected.iter().filter(|(_, name)| name.starts_with("n-1")).cloned().collect::<Vec<_>>()),
        ("&NamePrefix=x", Vec::new()),
    ] {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = done(&rig, "GET", &format!("/schedules?MaxResults=7{query}{token}"), Value::Null).await;
            let schedules = page["Schedules"].as_array().unwrap();
            assert!(schedules.len() <= 7);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.extend(schedules.iter().map(|one| (text(&one["GroupName"]), text(&one["Name"]))));
            match page["NextToken"].as_str() {
                Some(next) => token = format!("&NextToken={next}"),
                None => break,
            }
        }
        let wanted: Vec<_> = wanted.into_iter().map(|(group, name)| (group.to_owned(), name)).collect();
        assert_eq!(found, wanted, "{query}");
    }
    let page = done(&rig, "GET", "/schedule-groups?MaxResults=1", Value::Null).await;
    assert_eq!(page["ScheduleGroups"][0]["Name"], "b");
    let rest = format!("/schedule-groups?NextToken={}", page["NextToken"].as_str().unwrap());
    assert_eq!(names(&rig, &rest).await, ["default"]);
}

/// What makes no sense, with the words that say so. What the model forbids is in `crates/aws`.
#[tokio::test]
async fn what_cannot_be_is_refused_in_words() {
    let rig = Rig::start().await;
    rest(&rig, "POST", "/schedule-groups/taken", json!({})).await;
    rest(&rig, "POST", "/schedules/taken", schedule()).await;
    let create = |body: Value| ("POST", "/schedules/s".to_owned(), body);
    let tags = |of: &str| format!("/tags/{}", of.replace(':', "%3A").replace('/', "%2F"));
    for ((method, path, body), status, code, words) in [
        (
            create(with(json!({"ScheduleExpression": "every day"}))),
            400,
            "ValidationException",
            "Invalid Schedule Expression every day.",
        ),
        (
            create(with(json!({"ScheduleExpression": "rate(0 hours)"}))),
            400,
            "ValidationException",
            "Invalid Schedule Expression rate(0 hours).",
        ),
        (
            create(with(json!({"ScheduleExpressionTimezone": "Mars/Olympus"}))),
            400,
            "ValidationException",
            "ScheduleExpressionTimezone",
        ),
        (
            create(with(json!({"StartDate": START_MS / 1000 + 10, "EndDate": START_MS / 1000}))),
            400,
            "ValidationException",
            "EndDate",
        ),
        (
            create(with(json!({"StartDate": START_MS / 1000 - 301}))),
            400,
            "ValidationException",
            "The StartDate you specify cannot be earlier than 5 minutes ago.",
        ),
        (create(with(json!({"EndDate": -1}))), 400, "ValidationException", "before 1970"),
        (
            create(with(json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}))),
            400,
            "ValidationException",
            "MaximumWindowInMinutes must be given",
        ),
        (
            create(with(json!({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}))),
            400,
            "ValidationException",
            "MaximumWindowInMinutes must not be given",
        ),
        (
            create(with_target(json!({"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}))),
            400,
            "ValidationException",
            "not supported",
        ),
        (
            create(with_target(json!({"EcsParameters": {"TaskDefinitionArn": "a"}}))),
            400,
            "ValidationException",
            "EcsParameters are of a target that Afterward does not support",
        ),
        (
            create(with_target(json!({"Arn": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}))),
            400,
            "ValidationException",
            "MessageGroupId",
        ),
        (
            create(with_target(json!({"Arn": "arn:aws:sqs:us-east-1:111111111111:q"}))),
            400,
            "ValidationException",
            "belongs to another account",
        ),
        (
            create(with_target(json!({"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:111111111111:q"}}))),
            400,
            "ValidationException",
            "belongs to another account",
        ),
        (
            create(with_target(
                json!({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "{\"QueueUrl\":\"http://h/111111111111/q\",\"MessageBody\":\"b\"}"}),
            )),
            400,
            "ValidationException",
            "belongs to another account",
        ),
        (create(with_target(json!({"Input": "x".repeat(1_048_577)}))), 400, "ValidationException", ""),
        (
            create(with(json!({"GroupName": "none"}))),
            404,
            "ResourceNotFoundException",
            "Schedule group none does not exist.",
        ),
        (("POST", "/schedules/taken".into(), schedule()), 409, "ConflictException", "Schedule taken already exists."),
        (
            ("PUT", "/schedules/none".into(), schedule()),
            404,
            "ResourceNotFoundException",
            "Schedule none does not exist.",
        ),
        (
            ("DELETE", "/schedules/none".into(), Value::Null),
            404,
            "ResourceNotFoundException",
            "Schedule none does not exist.",
        ),
        (
            ("GET", "/schedules/taken?groupName=taken".into(), Value::Null),
            404,
            "ResourceNotFoundException",
            "Schedule taken does not exist.",
        ),
        (
            ("GET", "/schedules?ScheduleGroup=none".into(), Value::Null),
            404,
            "ResourceNotFoundException",
            "Schedule group none does not exist.",
        ),
        (("GET", "/schedules?NextToken=x".into(), Value::Null), 400, "ValidationException", "NextToken"),
        (("GET", "/schedule-groups?NextToken=*".into(), Value::Null), 400, "ValidationException", "NextToken"),
        (
            ("POST", "/schedule-groups/taken".into(), json!({})),
            409,
            "ConflictException",
            "Schedule group taken already exists.",
        ),
        (
            ("POST", "/schedule-groups/default".into(), json!({})),
            409,
            "ConflictException",
            "Schedule group default already exists.",
        ),
        (
            ("DELETE", "/schedule-groups/default".into(), Value::Null),
            400,
            "ValidationException",
            "The default schedule group can't be deleted.",
        ),
        (
            ("DELETE", "/schedule-groups/none".into(), Value::Null),
            404,
            "ResourceNotFoundException",
            "Schedule group none does not exist.",
        ),
        (
            ("POST", "/schedule-groups/g".into(), json!({"Tags": [{"Key": "aws:x", "Value": "v"}]})),
            400,
            "ValidationException",
            "reserved",
        ),
        (
            (
                "POST",
                "/schedule-groups/g".into(),
                json!({"Tags": [{"Key": "x", "Value": "v"}, {"Key": "x", "Value": "w"}]}),
            ),
            400,
            "ValidationException",
            "twice",
        ),
        (
            ("GET", tags(&format!("{GROUP_ARN}/none")), Value::Null),
            404,
            "ResourceNotFoundException",
            "Schedule group none does not exist.",
        ),
        (
            ("GET", tags("arn:aws:scheduler:us-east-1:111111111111:schedule-group/taken"), Value::Null),
            404,
            "ResourceNotFoundException",
            "does not exist",
        ),
        (
            ("PATCH", "/schedules/taken".into(), Value::Null),
            400,
            "UnknownOperationException",
            "no action at PATCH /schedules/taken",
        ),
    ] {
        let reply = rest(&rig, method, &path, body.clone()).await;
        let what = format!("{method} {path} {}: {}", &body.to_string()[..body.to_string().len().min(200)], reply.body);
        assert_eq!((reply.status, reply.header("x-amzn-errortype")), (status, code), "{what}");
        assert!(reply.json()["Message"].as_str().unwrap().contains(words), "{what}");
    }
    assert_eq!(names(&rig, "/schedules").await, ["taken"], "nothing of it has made a schedule");
}

#[tokio::test]
async fn each_account_and_region_has_its_own_schedules() {
    let rig = Rig::start().await;
    let as_of = |key: &str, region: &str, method: &str, path: &str, body: &Value| {
        let request = rig.request(method, path).header("authorization", authorization(key, region));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        rig.send(request.body(body.into()).unwrap())
    };
    let places = [
        ("test", "us-east-1", "000000000000"),
        ("123456789012", "us-east-1", "123456789012"),
        ("123456789012", "eu-west-1", "123456789012"),
    ];
    for (key, region, account) in places {
        assert_eq!(as_of(key, region, "GET", "/schedules/s", &Value::Null).await.status, 404);
        let mut body = schedule();
        body["Target"]["Arn"] = json!(format!("arn:aws:sqs:{region}:{account}:chores"));
        let made = as_of(key, region, "POST", "/schedules/s", &body).await;
        assert_eq!(made.json()["ScheduleArn"], format!("arn:aws:scheduler:{region}:{account}:schedule/default/s"));
    }
}

#[tokio::test]
async fn without_a_signature_nothing_is_answered_where_there_are_credentials_and_no_foreign_page_is_elsewhere() {
    let credential = afterward_gateway::Credential {
        access_key_id: "AKID".into(),
        secret_access_key: "secret".into(),
        account: None,
    };
    let locked =
        Rig::with(afterward_gateway::Settings { credentials: vec![credential], ..crate::rig::settings() }).await;
    let reply = rest(&locked, "GET", "/schedules", Value::Null).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (403, "MissingAuthenticationTokenException"));
    let open = Rig::start().await;
    let request = open.request("POST", "/schedule-groups/g").header("origin", "https://evil.example");
    let reply = open.send(request.body("{}".into()).unwrap()).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (403, "AccessDeniedException"));
}

#[tokio::test]
async fn a_request_that_comes_again_does_not_undo_what_came_after_it() {
    let rig = Rig::start().await;
    for path in ["/schedules/s", "/schedule-groups/g"] {
        let made = |token: &str| if path == "/schedules/s" { with(json!({"ClientToken": token})) } else { json!({}) };
        done(&rig, "POST", path, made("a")).await;
        done(&rig, "DELETE", &format!("{path}?clientToken=t"), Value::Null).await;
        done(&rig, "POST", path, made("b")).await;
        done(&rig, "DELETE", &format!("{path}?clientToken=t"), Value::Null).await;
        done(&rig, "GET", path, Value::Null).await;
    }
    let change = |token: &str, expression: &str| with(json!({"ClientToken": token, "ScheduleExpression": expression}));
    for (token, expression, becomes) in [
        ("u", "rate(2 hours)", "rate(2 hours)"),
        ("v", "rate(3 hours)", "rate(3 hours)"),
        ("u", "rate(2 hours)", "rate(3 hours)"),
        ("u", "rate(4 hours)", "rate(4 hours)"),
    ] {
        done(&rig, "PUT", "/schedules/s", change(token, expression)).await;
        let shown = done(&rig, "GET", "/schedules/s", Value::Null).await;
        assert_eq!(shown["ScheduleExpression"], becomes, "{token} {expression}");
    }
    // Who has deleted a schedule may make the same again; only one that deletes itself may have gone since it was made.
    done(&rig, "DELETE", "/schedules/s", Value::Null).await;
    done(&rig, "POST", "/schedules/s", with(json!({"ClientToken": "b"}))).await;
    done(&rig, "GET", "/schedules/s", Value::Null).await;
}

#[tokio::test]
async fn a_target_that_may_not_be_called_is_refused_where_its_url_says_so() {
    let described = |url: &str| {
        let input = json!({"Url": url}).to_string();
        with_target(json!({"Arn": "arn:aws:scheduler:::afterward:http", "Input": input}))
    };
    let posted = |url: &str| with_target(json!({"Arn": url}));
    let (internal, named, public) = ("http://127.0.0.1:3000/hook", "https://hooks.example/x", "http://1.1.1.1/x");
    for (targets, body, words) in [
        (HttpTargets::Public, posted(internal), Some("its setting scheduler.http_targets is `public`")),
        (HttpTargets::Public, described(internal), Some("127.0.0.1 leads to an address that is not the internet's")),
        (HttpTargets::Public, posted("http://[::1]/"), Some("[::1] leads to")),
        (HttpTargets::Public, posted("http://localhost:3000/"), Some("localhost leads to")),
        (HttpTargets::Public, posted("http://169.254.169.254/latest"), Some("169.254.169.254 leads to")),
        (HttpTargets::Public, posted(public), None),
        (HttpTargets::Public, described(named), None), // what it leads to is judged at each call
        (HttpTargets::Public, schedule(), None),
        (HttpTargets::Off, posted(named), Some("its setting scheduler.http_targets is `off`")),
        (HttpTargets::Off, described(public), Some("its setting scheduler.http_targets is `off`")),
        (HttpTargets::Off, schedule(), None),
        (HttpTargets::Any, posted(internal), None),
    ] {
        let rig = Rig::reaching(targets).await;
        let create = rest(&rig, "POST", "/schedules/new", body.clone()).await;
        done(&rig, "POST", "/schedules/old", schedule()).await;
        let update = rest(&rig, "PUT", "/schedules/old", body.clone()).await;
        for reply in [create, update] {
            let Some(words) = words else {
                assert_eq!(reply.status, 200, "{targets:?} {body}: {}", reply.body);
                continue;
            };
            assert_eq!((reply.status, reply.header("x-amzn-errortype")), (400, "ValidationException"), "{body}");
            let message = reply.json()["Message"].as_str().unwrap().to_owned();
            assert!(message.starts_with("The target can't be called: ") && message.contains(words), "{message}");
        }
    }
}

#[tokio::test]
async fn a_schedule_whose_target_may_no_longer_be_called_can_be_paused() {
    let rig = Rig::reaching(HttpTargets::Public).await;
    let to = |url: &str, state: &str| {
        let mut body = with_target(json!({"Arn": url}));
        body["State"] = state.into();
        body
    };
    // As it was made when the setting was another one.
    let before = rig.another_door().await;
    done(&before, "POST", "/schedules/s", to("http://127.0.0.1:3000/", "ENABLED")).await;
    done(&rig, "PUT", "/schedules/s", to("http://127.0.0.1:3000/", "DISABLED")).await;
    assert_eq!(done(&rig, "GET", "/schedules/s", Value::Null).await["State"], "DISABLED");
    let elsewhere = rest(&rig, "PUT", "/schedules/s", to("http://127.0.0.1:3001/", "DISABLED")).await;
    assert_eq!(elsewhere.header("x-amzn-errortype"), "ValidationException");
}

/// AWS gives dates as seconds with a fraction; ours is of milliseconds.
#[tokio::test]
async fn dates_are_given_back_to_the_millisecond() {
    let rig = Rig::start().await;
    rig.clock.advance(std::time::Duration::from_millis(250));
    let dates = json!({"StartDate": START_MS as f64 / 1000.0 + 60.125, "EndDate": START_MS / 1000 + 90_000});
    done(&rig, "POST", "/schedules/s", with(dates.clone())).await;
    done(&rig, "POST", "/schedule-groups/g", json!({})).await;
    rig.clock.advance(std::time::Duration::from_millis(1_001));
    done(&rig, "PUT", "/schedules/s", with(dates.clone())).await;
    let made = json!(START_MS as f64 / 1000.0 + 0.25);
    let changed = json!(START_MS as f64 / 1000.0 + 1.251);
    let shown = done(&rig, "GET", "/schedules/s", Value::Null).await;
    let listed = done(&rig, "GET", "/schedules", Value::Null).await["Schedules"][0].clone();
    for found in [&shown, &listed] {
        assert_eq!((&found["CreationDate"], &found["LastModificationDate"]), (&made, &changed), "{found}");
    }
    assert_eq!((&shown["StartDate"], &shown["EndDate"]), (&dates["StartDate"], &dates["EndDate"]));
    assert_eq!(done(&rig, "GET", "/schedule-groups/g", Value::Null).await["CreationDate"], made);
}

/// As a newer release may have left it.
#[tokio::test]
async fn a_schedule_that_cannot_be_read_hides_no_others_and_can_be_replaced_or_deleted() {
    let rig = Rig::start().await;
    for name in ["a", "z"] {
        done(&rig, "POST", &format!("/schedules/{name}"), schedule()).await;
    }
    for name in ["newer", "newest"] {
        let ScheduleArn(address) =
            format!("arn:aws:scheduler:us-east-1:000000000000:schedule/default/{name}").parse().unwrap();
        rig.broker.create_schedule(address, r#"{"version":"2"}"#.into(), None).await.unwrap();
    }
    assert_eq!(names(&rig, "/schedules").await, ["a", "newer", "newest", "z"]);
    assert_eq!(names(&rig, "/schedules?State=ENABLED").await, ["a", "z"]);
    let listed = done(&rig, "GET", "/schedules?NamePrefix=newer", Value::Null).await["Schedules"][0].clone();
    assert_eq!((&listed["State"], &listed["Target"]), (&Value::Null, &Value::Null));
    assert_eq!(rest(&rig, "GET", "/schedules/newer", Value::Null).await.status, 500);
    let again = rest(&rig, "POST", "/schedules/newer", with(json!({"ClientToken": "t"}))).await;
    assert_eq!(again.header("x-amzn-errortype"), "ConflictException");
    done(&rig, "PUT", "/schedules/newer", schedule()).await;
    assert_eq!(done(&rig, "GET", "/schedules/newer", Value::Null).await["ScheduleExpression"], "rate(1 hour)");
    done(&rig, "DELETE", "/schedules/newest", Value::Null).await;
    assert_eq!(names(&rig, "/schedules").await, ["a", "newer", "z"]);
}
