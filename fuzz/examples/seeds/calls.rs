//! The seeds that are written by hand.

/// Two requests each: one that is signed, and one that takes its place.
pub(crate) const CALLS: &[(&str, &str)] = &[
    (
        "POST http://localhost:4566/\ncontent-type: application/x-amz-json-1.0\nx-amz-target: AmazonSQS.SendMessage\n\n{}",
        "POST /\nhost: localhost:4566\ncontent-type: application/x-amz-json-1.0\nx-amz-target: AmazonSQS.SendMessage\n\n{}",
    ),
    ("GET /a/./b//c/../d%20e/?x=%41&a=1+2&flag\nhost: h\n\n", "GET /a/b/d%20e/?a=1%202&x=A&flag=\nhost:  h \n\n"),
    ("POST /\nhost: h\nx-amz-meta: a  b\nx-amz-meta: c\n\nbody", "POST /\nhost: h\nx-amz-meta: a b,c\n\nbody"),
    ("POST /\nhost: h\n\nbody", "POST /\nhost: h\nx-amz-content-sha256: UNSIGNED-PAYLOAD\n\nother"),
    ("POST /\nhost: h\n\nbody", "POST /\nhost: h\nx-amz-target: AmazonSQS.DeleteQueue\n\nbody"),
    ("PUT /?X-Amz-Signature=1&X-Amz-Date=2\nhost: h\n\n", "PUT /?X-Amz-Date=2\nhost: h\n\n"),
];

pub(crate) const NAMES: &[&str] = &[
    "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo",
    "arn:aws-cn:sqs:cn-north-1:000000000000:jobs",
    "jobs_1-A.fifo",
    "us-gov-west-1",
    "123456789012",
    "12345678-9abc-8000-bfff-ffffffffffff",
    "order#42/retry:~!",
];

pub(crate) const REPLIES: &[&str] = &[
    "SendMessage 200\n{\"MessageId\":\"m\",\"MD5OfMessageBody\":\"d\",\"SequenceNumber\":\"1\"}",
    "ReceiveMessage 200\n{\"Messages\":[{\"MessageId\":\"m\",\"ReceiptHandle\":\"r\",\"MD5OfBody\":\"d\",\"Body\":\"b\\u0007<&>\",\
     \"Attributes\":{\"SentTimestamp\":\"1\"},\"MessageAttributes\":{\"a\":{\"DataType\":\"Binary\",\"BinaryValue\":\"AP8=\"}}}]}",
    "SendMessageBatch 200\n{\"Successful\":[{\"Id\":\"a\",\"MessageId\":\"m\",\"MD5OfMessageBody\":\"d\"}],\
     \"Failed\":[{\"Id\":\"b\",\"Code\":\"c\",\"Message\":\"m\",\"SenderFault\":true}]}",
    "ListMessageMoveTasks 200\n{\"Results\":[{\"TaskHandle\":\"t\",\"Status\":\"RUNNING\",\"SourceArn\":\"s\",\
     \"ApproximateNumberOfMessagesMoved\":1,\"StartedTimestamp\":1700000000000}]}",
    "ListQueues 200\n{\"QueueUrls\":[\"http://h/1/q\"],\"NextToken\":\"n\"}",
    "GetQueueAttributes 200\n{\"Attributes\":{\"QueueArn\":\"a\"}}",
    "DeleteMessage 200\n",
    "SendMessage 400\n{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"The specified queue does not exist.\"}",
    "SendMessage 503\n<html>proxy</html>",
];

/// One request each to EventBridge Scheduler.
pub(crate) const SCHEDULER: &[&str] = &[
    "POST /schedules/daily\n\n{\"ScheduleExpression\":\"cron(0 8 ? * MON-FRI *)\",\"ScheduleExpressionTimezone\":\
     \"Europe/Vienna\",\"StartDate\":1.8e9,\"EndDate\":1900000000.25,\"FlexibleTimeWindow\":{\"Mode\":\"FLEXIBLE\",\
     \"MaximumWindowInMinutes\":15},\"State\":\"ENABLED\",\"ActionAfterCompletion\":\"DELETE\",\"Description\":\"d\",\
     \"ClientToken\":\"t-1\",\"GroupName\":\"g\",\"KmsKeyArn\":\"arn:aws:kms:us-east-1:000000000000:key/k\",\"Target\":{\
     \"Arn\":\"arn:aws:sqs:us-east-1:000000000000:q.fifo\",\"RoleArn\":\"arn:aws:iam::000000000000:role/any\",\
     \"Input\":\"<aws.scheduler.execution-id>\",\"SqsParameters\":{\"MessageGroupId\":\"g\"},\"RetryPolicy\":{\
     \"MaximumRetryAttempts\":0,\"MaximumEventAgeInSeconds\":60},\"DeadLetterConfig\":{\"Arn\":\
     \"arn:aws:sqs:us-east-1:000000000000:dead\"},\"KinesisParameters\":{\"PartitionKey\":\"k\"}}}",
    "PUT /schedules/n\n\n{\"ScheduleExpression\":\"rate(1 hour)\",\"FlexibleTimeWindow\":{\"Mode\":\"OFF\"},\"Target\":{\
     \"Arn\":\"a\",\"RoleArn\":\"arn:aws:iam::000000000000:role/a/b+c=d\",\"Input\":null}}",
    "GET /schedules?ScheduleGroup=g&NamePrefix=n&State=DISABLED&MaxResults=7&NextToken=Zy9u",
    "GET /schedules/n?groupName=g",
    "DELETE /schedules/n?groupName=g&clientToken=t",
    "POST /schedule-groups/g\n\n{\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}],\"ClientToken\":\"t\"}",
    "GET /schedule-groups/g",
    "GET /schedule-groups?NamePrefix=g&MaxResults=100",
    "DELETE /schedule-groups/g?clientToken=t",
    "POST /tags/arn%3Aaws%3Ascheduler%3Aus-east-1%3A000000000000%3Aschedule-group%2Fg\n\n{\"Tags\":[]}",
    "DELETE /tags/arn:aws:scheduler:us-east-1:000000000000:schedule-group/g?TagKeys=a+b&TagKeys=%C3%A4",
    "GET /tags/arn%3Aaws%3Ascheduler%3Aus-east-1%3A000000000000%3Aschedule-group%2Fg",
];

/// An expression and its zone, and then a definition.
pub(crate) const SCHEDULES: &[&str] = &[
    "cron(0/30 20-2 ? * MON-FRI *)\tEurope/Vienna",
    "cron(15 10 ? * 6L 2022-2023)\tAmerica/New_York",
    "cron(0 9 LW,3W,L JAN,FEB,MAR ? *)\tPacific/Apia",
    "cron(1/10 * ? * 3#2 *)\tAustralia/Lord_Howe",
    "cron(0 0 30 2 ? *)",
    "rate(5 minutes)",
    "at(2026-03-29T02:30:00)\tEurope/Vienna",
    "0 8 */2 1-12/3 sat-sun\tEurope/Vienna",
    "rate(1 day)\n{\"version\":\"1\",\"expression\":\"cron(0 8 * * ? *)\",\"zone\":\"Europe/Vienna\",\"start_ms\":1,\
     \"end_ms\":7258118400000,\"anchor_ms\":0,\"window\":{\"flexible\":{\"minutes\":15}},\"enabled\":true,\"target\":{\
     \"arn\":\"arn:aws:sqs:us-east-1:000000000000:jobs.fifo\",\"role_arn\":\"r\",\"input\":\"<aws.scheduler.schedule-arn>\",\
     \"sqs\":{\"message_group_id\":\"g\"},\"retry\":{\"maximum_event_age_s\":60},\
     \"dead_letter_arn\":\"arn:aws:sqs:us-east-1:000000000000:dead\"},\"after_completion\":\"delete\"}",
    "\n{\"version\":\"1\",\"expression\":\"rate(1 day)\",\"anchor_ms\":0,\"window\":\"off\",\"enabled\":true,\"target\":{\
     \"arn\":\"arn:aws:scheduler:::aws-sdk:sqs:sendMessage\",\"role_arn\":\"r\",\"input\":\
     \"{\\\"QueueUrl\\\":\\\"jobs\\\",\\\"MessageBody\\\":\\\"x\\\",\\\"DelaySeconds\\\":9}\"}}",
    "\n{\"version\":\"1\",\"expression\":\"rate(1 day)\",\"anchor_ms\":0,\"window\":\"off\",\"enabled\":true,\"target\":{\
     \"arn\":\"arn:aws:scheduler:::afterward:http\",\"role_arn\":\"r\",\"input\":\
     \"{\\\"Url\\\":\\\"https://h/<aws.scheduler.execution-id>\\\",\\\"Headers\\\":{\\\"a\\\":\\\"b\\\"}}\"}}",
];

/// Batches, shape, durability; then edits: what, which file, and what that edit needs.
pub(crate) const SEGMENTS: &[&[u8]] = &[
    &[15, 0, 0],
    &[15, 0x80, 0],
    &[15, 1, 1, 0, 1, 70, 0, 4],
    &[3, 2, 0, 3, 0, 100, 0, 0xff, 0xff],
    &[9, 3, 0, 2, 1, 0, 2],
    &[20, 4, 0, 4, 1],
    &[20, 5, 0, 5, 0, 9],
    &[5, 6, 0, 6, 0, 1, 8, 8, 255, 255, 255, 255, 255, 255, 255, 255],
    &[5, 6, 0, 6, 0, 0, 32, 8, 0, 0, 1, 0, 0, 0, 0, 0],
    &[5, 7, 0, 6, 0, 2, 36, 4, 255, 255, 255, 15],
    &[12, 1, 0, 7, 2, 9, 1, 0, 128, 0, 4, 1, 2, 3, 4],
    &[0, 0, 0],
    &[15, 0, 2],
    &[20, 0x84, 2, 4, 3],
    &[9, 3, 2, 2, 1, 0, 2],
    &[12, 1, 3, 7, 2, 9, 1, 0, 128, 0, 4, 1, 2, 3, 4],
];

/// Requests one after the other.
pub(crate) const STORIES: &[&str] = &[
    include_str!("stories/standard.txt"),
    include_str!("stories/fifo.txt"),
    include_str!("stories/query.txt"),
    include_str!("stories/dead_letters.txt"),
    include_str!("stories/policies.txt"),
    include_str!("stories/jobs.txt"),
    include_str!("stories/admin.txt"),
    include_str!("stories/urls.txt"),
    include_str!("stories/schedules.txt"),
];
