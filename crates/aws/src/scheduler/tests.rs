//! The 12 actions over the wire, as tables.

use super::*;
use http::{HeaderMap, Uri};
use serde_json::{Value, json};

fn read(method: &str, uri: &str, body: &str) -> Result<Request, Error> {
    let (method, uri) = (method.parse::<Method>().unwrap(), uri.parse::<Uri>().unwrap());
    parse(&Incoming { method: &method, uri: &uri, headers: &HeaderMap::new(), body: body.as_bytes() })
}

fn valid() -> Value {
    json!({
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"},
    })
}

/// `valid` with the value at `at` replaced, or taken out if it is null.
fn with(at: &str, value: Value) -> String {
    let mut body = valid();
    let (parent, name) = at.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => parent.remove(name),
        value => parent.insert(name.to_owned(), value),
    };
    body.to_string()
}

fn everything() -> ScheduleInput {
    ScheduleInput {
        name: "nightly.report_1-a".into(),
        group_name: Some("reports".into()),
        schedule_expression: "cron(0 8 ? * MON-FRI *)".into(),
        schedule_expression_timezone: Some("Europe/Vienna".into()),
        start_date: Some(Timestamp { ms: 1_700_000_000_000 }),
        end_date: Some(Timestamp { ms: 1_800_000_000_250 }),
        flexible_time_window: FlexibleTimeWindow {
            mode: FlexibleTimeWindowMode::Flexible,
            maximum_window_in_minutes: Some(15),
        },
        target: Target {
            arn: "arn:aws:sqs:us-east-1:123456789012:q.fifo".into(),
            role_arn: "arn:aws:iam::123456789012:role/r".into(),
            input: Some("{\"ä\":\"<aws.scheduler.execution-id>\"}".into()),
            dead_letter_config: Some(DeadLetterConfig { arn: Some("arn:aws:sqs:us-east-1:123456789012:dlq".into()) }),
            retry_policy: Some(RetryPolicy { maximum_event_age_in_seconds: Some(60), maximum_retry_attempts: Some(0) }),
            sqs_parameters: Some(SqsParameters { message_group_id: Some("g".into()) }),
            ..Target::default()
        },
        state: Some(ScheduleState::Disabled),
        action_after_completion: Some(ActionAfterCompletion::Delete),
        description: Some(String::new()),
        kms_key_arn: Some("arn:aws:kms:us-east-1:123456789012:key/k".into()),
        client_token: Some("t-1".into()),
    }
}

/// Every action with all of its members.
fn requests() -> Vec<Request> {
    let arn = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/reports";
    let tag = |key: &str| Tag { key: key.into(), value: "v /+&".into() };
    vec![
        Request::CreateSchedule(everything()),
        Request::CreateScheduleGroup(CreateScheduleGroupInput {
            name: "reports".into(),
            tags: vec![tag("a"), tag("b")],
            client_token: Some("t".into()),
        }),
        Request::DeleteSchedule(DeleteScheduleInput {
            name: "n".into(),
            group_name: Some("reports".into()),
            client_token: Some("t".into()),
        }),
        Request::DeleteScheduleGroup(DeleteScheduleGroupInput { name: "n".into(), client_token: Some("t".into()) }),
        Request::GetSchedule(GetScheduleInput { name: "n".into(), group_name: None }),
        Request::GetScheduleGroup(GetScheduleGroupInput { name: "n".into() }),
        Request::ListScheduleGroups(ListScheduleGroupsInput {
            name_prefix: Some("n".into()),
            max_results: Some(7),
            next_token: Some("a b+c/=&".into()),
        }),
        Request::ListSchedules(ListSchedulesInput {
            group_name: Some("reports".into()),
            name_prefix: Some("n".into()),
            state: Some(ScheduleState::Enabled),
            max_results: Some(100),
            next_token: Some("ä".into()),
        }),
        Request::ListTagsForResource(ListTagsForResourceInput { resource_arn: arn.into() }),
        Request::TagResource(TagResourceInput { resource_arn: arn.into(), tags: vec![tag("a")] }),
        Request::UntagResource(UntagResourceInput {
            resource_arn: arn.into(),
            tag_keys: vec!["a&b".into(), "c d".into()],
        }),
        Request::UpdateSchedule(ScheduleInput { group_name: None, ..everything() }),
    ]
}

#[test]
fn a_server_reads_what_a_client_writes() {
    let requests = requests();
    assert_eq!(requests.iter().map(Request::action).collect::<Vec<_>>(), Action::ALL, "one of each");
    for request in requests {
        let (method, uri, body) = request_http(&request);
        let again = read(method.as_str(), &uri, std::str::from_utf8(&body).unwrap());
        assert_eq!(again.as_ref(), Ok(&request), "{method} {uri}");
    }
}

/// As botocore and the SDK for JavaScript send them.
#[test]
fn actions_are_told_by_method_and_path() {
    let arn = "arn%3Aaws%3Ascheduler%3Aus-east-1%3A123456789012%3Aschedule-group%2Fg";
    for (method, path, action) in [
        ("POST", "/schedules/n", Some(Action::CreateSchedule)),
        ("PUT", "/schedules/n", Some(Action::UpdateSchedule)),
        ("GET", "/schedules/n", Some(Action::GetSchedule)),
        ("DELETE", "/schedules/n", Some(Action::DeleteSchedule)),
        ("GET", "/schedules", Some(Action::ListSchedules)),
        ("GET", "/schedules/", Some(Action::ListSchedules)),
        ("POST", "/schedule-groups/g", Some(Action::CreateScheduleGroup)),
        ("GET", "/schedule-groups/g", Some(Action::GetScheduleGroup)),
        ("DELETE", "/schedule-groups/g", Some(Action::DeleteScheduleGroup)),
        ("GET", "/schedule-groups", Some(Action::ListScheduleGroups)),
        ("GET", &format!("/tags/{arn}"), Some(Action::ListTagsForResource)),
        ("POST", &format!("/tags/{arn}"), Some(Action::TagResource)),
        ("DELETE", &format!("/tags/{arn}"), Some(Action::UntagResource)),
        ("PUT", "/schedule-groups/g", None),
        ("POST", "/schedules", None),
        ("PATCH", "/schedules/n", None),
        ("HEAD", "/schedules", None),
        ("GET", "/tags/", None),
    ] {
        assert_eq!(Action::called(&method.parse().unwrap(), path), action, "{method} {path}");
        assert!(is_path(path), "{path}");
    }
    for path in ["/", "/schedulesx", "/schedule", "/123456789012/schedules", "/tags", "/jobs", "/_afterward/schedules"]
    {
        assert!(!is_path(path), "{path}");
    }
    let error = read("PATCH", "/schedules/n", "").unwrap_err();
    assert_eq!(error.code, Code::InvalidAction);
}

#[test]
fn what_the_model_does_not_allow_is_said_in_awss_words() {
    let long = "x".repeat(65);
    let long_arn = "x".repeat(1601);
    let name = "'name' failed to satisfy constraint: Member must";
    for (uri, body, message) in [
        ("/schedules/a%20b", valid().to_string(), format!("Value 'a b' at {name} satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$")),
        (&format!("/schedules/{long}"), valid().to_string(), format!("Value '{long}' at {name} have length less than or equal to 64")),
        ("/schedules/n", with("/GroupName", json!("")), "Value '' at 'groupName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'groupName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$".into()),
        ("/schedules/n", with("/ScheduleExpression", Value::Null), "Value null at 'scheduleExpression' failed to satisfy constraint: Member must not be null".into()),
        ("/schedules/n", with("/Target", Value::Null), "Value null at 'target' failed to satisfy constraint: Member must not be null".into()),
        ("/schedules/n", with("/Target/RoleArn", Value::Null), "Value null at 'target.roleArn' failed to satisfy constraint: Member must not be null".into()),
        ("/schedules/n", with("/Target/RoleArn", json!("r")), r"Value 'r' at 'target.roleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@\/-]+$".into()),
        ("/schedules/n", with("/Target/Arn", json!(long_arn)), "have length less than or equal to 1600".into()),
        ("/schedules/n", with("/Target/Input", json!("")), "Value '' at 'target.input' failed to satisfy constraint: Member must have length greater than or equal to 1".into()),
        ("/schedules/n", with("/Target/RetryPolicy", json!({"MaximumRetryAttempts": 186, "MaximumEventAgeInSeconds": 59})), "2 validation errors detected: Value '59' at 'target.retryPolicy.maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60; Value '186' at 'target.retryPolicy.maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 185".into()),
        ("/schedules/n", with("/Target/DeadLetterConfig", json!({"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"})), "at 'target.deadLetterConfig.arn' failed to satisfy constraint: Member must satisfy regular expression pattern".into()),
        ("/schedules/n", with("/FlexibleTimeWindow/Mode", json!("ON")), "Value 'ON' at 'flexibleTimeWindow.mode' failed to satisfy constraint: Member must satisfy enum value set: [OFF, FLEXIBLE]".into()),
        ("/schedules/n", with("/FlexibleTimeWindow/MaximumWindowInMinutes", json!(1441)), "have value less than or equal to 1440".into()),
        ("/schedules/n", with("/State", json!("PAUSED")), "enum value set: [ENABLED, DISABLED]".into()),
        ("/schedules/n", with("/Description", json!("x".repeat(513))), "have length less than or equal to 512".into()),
        ("/schedules/n", with("/ScheduleExpressionTimezone", json!("")), "at 'scheduleExpressionTimezone' failed".into()),
        ("/schedules/n", with("/ClientToken", json!("a b")), "pattern: ^[a-zA-Z0-9-_]+$".into()),
        ("/schedules/n", "{}".into(), "3 validation errors detected: ".into()),
        ("/schedule-groups/n", json!({"Tags": [{"Key": "k", "Value": "v"}, {"Key": "", "Value": "v"}]}).to_string(), "Value '' at 'tags.2.member.key' failed".into()),
        ("/schedule-groups/n", json!({"Tags": vec![json!({"Key": "k", "Value": "v"}); 201]}).to_string(), "Value '[201 members]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 200".into()),
    ] {
        let error = read("POST", uri, &body).unwrap_err();
        assert_eq!(error.code, Code::Validation, "{uri} {body}: {error}");
        assert!(error.message.contains(&message), "{uri} {body}: {} does not say {message}", error.message);
        assert!(error.message.contains(" validation error"), "{}", error.message);
    }
    for (method, uri, message) in [
        (
            "GET",
            "/schedules?MaxResults=101",
            "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
        ),
        ("GET", "/schedules?ScheduleGroup=a%2Fb", "Value 'a/b' at 'groupName' failed"),
        ("GET", "/schedules?State=ON", "enum value set"),
        ("GET", "/tags/arn%3Aaws%3Asqs%3Aus-east-1%3A123456789012%3Aq", "at 'resourceArn' failed"),
        (
            "DELETE",
            "/tags/arn%3Aaws%3Ascheduler%3Aus-east-1%3A123456789012%3Aschedule-group%2Fg",
            "Value null at 'tagKeys' failed",
        ),
    ] {
        let error = read(method, uri, "").unwrap_err();
        assert_eq!(error.code, Code::Validation, "{uri}: {error}");
        assert!(error.message.contains(message), "{uri}: {} does not say {message}", error.message);
    }
}

#[test]
fn what_is_of_the_wrong_type_is_no_request() {
    for (method, uri, body, message) in [
        ("POST", "/schedules/n", "".to_owned(), "3 validation errors"),
        ("POST", "/schedules/n", "[]".to_owned(), "Start of structure or map found where not expected."),
        ("POST", "/schedules/n", "{".to_owned(), "not valid JSON"),
        (
            "POST",
            "/schedules/n",
            with("/ScheduleExpression", json!(1)),
            "NUMBER_VALUE can not be converted to a String",
        ),
        (
            "POST",
            "/schedules/n",
            with("/StartDate", json!("2026-01-01")),
            "STRING_VALUE can not be converted to a Timestamp at 'startDate'",
        ),
        ("POST", "/schedules/n", with("/StartDate", json!(1e300)), "beyond all calendars"),
        ("POST", "/schedules/n", with("/Target", json!("q")), "STRING_VALUE can not be converted to a Structure"),
        (
            "POST",
            "/schedules/n",
            with("/FlexibleTimeWindow/MaximumWindowInMinutes", json!(1.5)),
            "DECIMAL_VALUE can not be converted to an Integer",
        ),
        (
            "POST",
            "/schedules/n",
            with("/Target/EcsParameters", json!(1)),
            "NUMBER_VALUE can not be converted to a Structure",
        ),
        (
            "GET",
            "/schedules?MaxResults=many",
            String::new(),
            "STRING_VALUE can not be converted to an Integer at 'MaxResults'",
        ),
        ("POST", "/schedules/n", format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20)), "at most 2097152 bytes"),
    ] {
        let error = read(method, uri, &body).unwrap_err();
        assert!(error.message.contains(message), "{uri}: {} does not say {message}", error.message);
    }
}

#[test]
fn nulls_are_absent_and_what_is_unknown_is_passed_over() {
    let mut body = valid();
    body["Description"] = Value::Null;
    body["Target"]["Input"] = Value::Null;
    body["Novelty"] = json!([1]);
    // The name is the path's, whatever the body says.
    body["Name"] = json!("other");
    let Ok(Request::CreateSchedule(input)) = read("POST", "/schedules/n?x=1", &body.to_string()) else {
        panic!("not read")
    };
    assert_eq!((input.name.as_str(), input.description, input.target.input), ("n", None, None));
}

#[test]
fn replies_are_read_as_they_were_written() {
    let time = Some(Timestamp { ms: 1_700_000_000_123 });
    let group = ScheduleGroup {
        arn: Some("arn".into()),
        name: Some("g".into()),
        state: Some(ScheduleGroupState::Deleting),
        creation_date: time,
        last_modification_date: Some(Timestamp { ms: -1 }),
    };
    for response in [
        Response::CreateSchedule(ScheduleOutput { schedule_arn: "arn".into() }),
        Response::DeleteSchedule,
        Response::GetScheduleGroup(group.clone()),
        Response::ListScheduleGroups(ListScheduleGroupsOutput { schedule_groups: vec![group], next_token: None }),
        Response::ListSchedules(ListSchedulesOutput {
            schedules: vec![ScheduleSummary { state: Some(ScheduleState::Enabled), ..ScheduleSummary::default() }],
            next_token: Some("n".into()),
        }),
        Response::GetSchedule(GetScheduleOutput {
            target: Some(everything().target),
            creation_date: time,
            ..GetScheduleOutput::default()
        }),
    ] {
        let reply = render("id", &Ok(response.clone()));
        assert_eq!(reply.headers()["content-type"], CONTENT_TYPE);
        assert_eq!(response_http(response.action(), 200, None, reply.body()), Ok(response));
    }
    let reply = render("id", &Ok(Response::DeleteSchedule));
    assert_eq!(reply.body(), "{}");
}

#[test]
fn errors_are_named_in_a_header() {
    for (code, name, status) in [
        (Code::Validation, "ValidationException", 400),
        (Code::Conflict, "ConflictException", 409),
        (Code::ResourceNotFound, "ResourceNotFoundException", 404),
        (Code::InvalidAction, "UnknownOperationException", 400),
    ] {
        let reply = render("id", &Err(Error::new(code, "why")));
        let header = reply.headers()[ERROR_TYPE_HEADER].to_str().unwrap();
        assert_eq!((header, reply.status().as_u16()), (name, status));
        assert_eq!(reply.body(), r#"{"Message":"why"}"#);
        let error = response_http(Action::GetSchedule, status, Some(header), reply.body()).unwrap_err();
        assert_eq!((error.code.as_str(), error.message.as_str()), (name, "why"));
    }
    for (header, body, code, message) in [
        (
            Some("ThrottlingException:http://internal.amazon.com/coral/x/"),
            "{\"message\":\"slow\"}",
            "ThrottlingException",
            "slow",
        ),
        (Some("com.amazon.coral.service#InternalFailure"), "", "InternalFailure", ""),
        (None, r#"{"__type":"x#AccessDeniedException","Message":"no"}"#, "AccessDeniedException", "no"),
        (
            None,
            "<html>proxy</html>",
            "UnreadableReply",
            "HTTP 503, and not in Scheduler's words: \"<html>proxy</html>\"",
        ),
    ] {
        let error = response_http(Action::GetSchedule, 503, header, body.as_bytes()).unwrap_err();
        assert_eq!((error.code.as_str(), error.message.as_str()), (code, message));
    }
}
