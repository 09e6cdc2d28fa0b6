//! The model of the 12 actions, as data: where their members stand and which values they take.
//!
//! Transcribed from botocore's `scheduler/2021-06-30/service-2.json`.

use super::pattern;
use crate::rest::{Member, Operation, Pattern, Place, Shape, Text};
use http::Method;

const fn text(least: usize, most: usize) -> Shape {
    Shape::Text(Text { least, most, pattern: None })
}

const fn patterned(least: usize, most: usize, pattern: &'static Pattern) -> Shape {
    Shape::Text(Text { least, most, pattern: Some(pattern) })
}

static NAME: Shape = patterned(1, 64, &pattern::NAME);
static CLIENT_TOKEN: Shape = patterned(1, 64, &pattern::CLIENT_TOKEN);
static NEXT_TOKEN: Shape = text(1, 2048);
static MAX_RESULTS: Shape = Shape::Integer(1, 100);
static STATE: Shape = Shape::Choice(&["ENABLED", "DISABLED"]);
static TIME: Shape = Shape::Time;
static EXPRESSION: Shape = text(1, 256);
static TIME_ZONE: Shape = text(1, 50);
static DESCRIPTION: Shape = text(0, 512);
static KMS_KEY_ARN: Shape = patterned(1, 2048, &pattern::KMS_KEY_ARN);
static AFTER_COMPLETION: Shape = Shape::Choice(&["NONE", "DELETE"]);

static WINDOW: Shape =
    Shape::Structure(&[Member::required("Mode", &WINDOW_MODE), Member::optional("MaximumWindowInMinutes", &MINUTES)]);
static WINDOW_MODE: Shape = Shape::Choice(&["OFF", "FLEXIBLE"]);
static MINUTES: Shape = Shape::Integer(1, 1440);

static TARGET: Shape = Shape::Structure(&[
    Member::required("Arn", &TARGET_ARN),
    Member::required("RoleArn", &ROLE_ARN),
    Member::optional("Input", &INPUT),
    Member::optional("DeadLetterConfig", &DEAD_LETTER_CONFIG),
    Member::optional("RetryPolicy", &RETRY_POLICY),
    Member::optional("SqsParameters", &SQS_PARAMETERS),
    Member::optional("EcsParameters", &UNREAD),
    Member::optional("EventBridgeParameters", &UNREAD),
    Member::optional("KinesisParameters", &UNREAD),
    Member::optional("SageMakerPipelineParameters", &UNREAD),
]);
static TARGET_ARN: Shape = text(1, 1600);
static ROLE_ARN: Shape = patterned(1, 1600, &pattern::ROLE_ARN);
static INPUT: Shape = text(1, usize::MAX);
static DEAD_LETTER_CONFIG: Shape = Shape::Structure(&[Member::optional("Arn", &DEAD_LETTER_ARN)]);
static DEAD_LETTER_ARN: Shape = patterned(1, 1600, &pattern::DEAD_LETTER_ARN);
static RETRY_POLICY: Shape = Shape::Structure(&[
    Member::optional("MaximumEventAgeInSeconds", &EVENT_AGE_S),
    Member::optional("MaximumRetryAttempts", &RETRIES),
]);
static EVENT_AGE_S: Shape = Shape::Integer(60, 86_400);
static RETRIES: Shape = Shape::Integer(0, 185);
static SQS_PARAMETERS: Shape = Shape::Structure(&[Member::optional("MessageGroupId", &MESSAGE_GROUP_ID)]);
static MESSAGE_GROUP_ID: Shape = text(1, 128);
static UNREAD: Shape = Shape::Unread;

static RESOURCE_ARN: Shape = patterned(1, 1011, &pattern::TAG_RESOURCE_ARN);
static TAGS: Shape = Shape::List(&TAG, 200);
static TAG: Shape = Shape::Structure(&[Member::required("Key", &TAG_KEY), Member::required("Value", &TAG_VALUE)]);
static TAG_KEY: Shape = text(1, 128);
static TAG_VALUE: Shape = text(1, 256);
static TAG_KEYS: Shape = Shape::List(&TAG_KEY, 200);

/// What `CreateSchedule` and `UpdateSchedule` take.
static SCHEDULE: [Member; 13] = [
    Member::label("Name", &NAME),
    Member::optional("GroupName", &NAME),
    Member::required("ScheduleExpression", &EXPRESSION),
    Member::optional("ScheduleExpressionTimezone", &TIME_ZONE),
    Member::optional("StartDate", &TIME),
    Member::optional("EndDate", &TIME),
    Member::required("FlexibleTimeWindow", &WINDOW),
    Member::required("Target", &TARGET),
    Member::optional("State", &STATE),
    Member::optional("ActionAfterCompletion", &AFTER_COMPLETION),
    Member::optional("Description", &DESCRIPTION),
    Member::optional("KmsKeyArn", &KMS_KEY_ARN),
    Member::optional("ClientToken", &CLIENT_TOKEN),
];

const SCHEDULES: &str = "/schedules/";
const GROUPS: &str = "/schedule-groups/";
const RESOURCES: &str = "/tags/";

pub(super) static CREATE_SCHEDULE: Operation = Operation { method: Method::POST, path: SCHEDULES, input: &SCHEDULE };
pub(super) static UPDATE_SCHEDULE: Operation = Operation { method: Method::PUT, path: SCHEDULES, input: &SCHEDULE };
pub(super) static DELETE_SCHEDULE: Operation = Operation {
    method: Method::DELETE,
    path: SCHEDULES,
    input: &[
        Member::label("Name", &NAME),
        Member::query("GroupName", "groupName", &NAME),
        Member::query("ClientToken", "clientToken", &CLIENT_TOKEN),
    ],
};
pub(super) static GET_SCHEDULE: Operation = Operation {
    method: Method::GET,
    path: SCHEDULES,
    input: &[Member::label("Name", &NAME), Member::query("GroupName", "groupName", &NAME)],
};
pub(super) static LIST_SCHEDULES: Operation = Operation {
    method: Method::GET,
    path: "/schedules",
    input: &[
        Member::query("GroupName", "ScheduleGroup", &NAME),
        Member::query("NamePrefix", "NamePrefix", &NAME),
        Member::query("State", "State", &STATE),
        Member::query("MaxResults", "MaxResults", &MAX_RESULTS),
        Member::query("NextToken", "NextToken", &NEXT_TOKEN),
    ],
};
pub(super) static CREATE_SCHEDULE_GROUP: Operation = Operation {
    method: Method::POST,
    path: GROUPS,
    input: &[
        Member::label("Name", &NAME),
        Member::optional("Tags", &TAGS),
        Member::optional("ClientToken", &CLIENT_TOKEN),
    ],
};
pub(super) static DELETE_SCHEDULE_GROUP: Operation = Operation {
    method: Method::DELETE,
    path: GROUPS,
    input: &[Member::label("Name", &NAME), Member::query("ClientToken", "clientToken", &CLIENT_TOKEN)],
};
pub(super) static GET_SCHEDULE_GROUP: Operation =
    Operation { method: Method::GET, path: GROUPS, input: &[Member::label("Name", &NAME)] };
pub(super) static LIST_SCHEDULE_GROUPS: Operation = Operation {
    method: Method::GET,
    path: "/schedule-groups",
    input: &[
        Member::query("NamePrefix", "NamePrefix", &NAME),
        Member::query("MaxResults", "MaxResults", &MAX_RESULTS),
        Member::query("NextToken", "NextToken", &NEXT_TOKEN),
    ],
};
pub(super) static LIST_TAGS_FOR_RESOURCE: Operation =
    Operation { method: Method::GET, path: RESOURCES, input: &[Member::label("ResourceArn", &RESOURCE_ARN)] };
pub(super) static TAG_RESOURCE: Operation = Operation {
    method: Method::POST,
    path: RESOURCES,
    input: &[Member::label("ResourceArn", &RESOURCE_ARN), Member::required("Tags", &TAGS)],
};
pub(super) static UNTAG_RESOURCE: Operation = Operation {
    method: Method::DELETE,
    path: RESOURCES,
    input: &[
        Member::label("ResourceArn", &RESOURCE_ARN),
        Member { name: "TagKeys", place: Place::Query("TagKeys"), shape: &TAG_KEYS, required: true },
    ],
};
