use super::*;
use crate::{Code, RemoteError};
use http::{HeaderMap, Method, Uri};
use std::collections::BTreeMap;

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn attribute(data_type: &str, string: Option<&str>, binary: Option<&[u8]>) -> MessageAttributeValue {
    MessageAttributeValue {
        string_value: string.map(str::to_owned),
        binary_value: binary.map(|bytes| Blob(bytes.to_vec())),
        data_type: data_type.into(),
        ..Default::default()
    }
}

fn json(action: &str, body: &str) -> Result<Request, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(TARGET_HEADER, format!("AmazonSQS.{action}").parse().unwrap());
    let (method, uri) = (Method::POST, Uri::from_static("/"));
    parse(Protocol::Json, &Incoming { method: &method, uri: &uri, headers: &headers, body: body.as_bytes() })
}

fn query(uri: &str, body: &str) -> Result<Request, Error> {
    let (method, uri, headers) = (Method::POST, uri.parse::<Uri>().unwrap(), HeaderMap::new());
    parse(Protocol::Query, &Incoming { method: &method, uri: &uri, headers: &headers, body: body.as_bytes() })
}

#[test]
fn a_member_that_must_be_there_is_missed_by_name() {
    for (action, body, parameter) in [
        ("SendMessage", r#"{"QueueUrl":"q"}"#, "MessageBody"),
        ("SendMessage", r#"{"MessageBody":"b"}"#, "QueueUrl"),
        ("SendMessage", r#"{"QueueUrl":null,"MessageBody":"b"}"#, "QueueUrl"),
        ("SendMessage", "", "QueueUrl"),
        ("DeleteMessage", r#"{"QueueUrl":"q"}"#, "ReceiptHandle"),
        ("ChangeMessageVisibility", r#"{"QueueUrl":"q","ReceiptHandle":"h"}"#, "VisibilityTimeout"),
        ("CreateQueue", "{}", "QueueName"),
        ("AddPermission", r#"{"QueueUrl":"q","Label":"l","Actions":["*"]}"#, "AWSAccountIds"),
        ("UntagQueue", r#"{"QueueUrl":"q"}"#, "TagKeys"),
        ("StartMessageMoveTask", "{}", "SourceArn"),
        ("CancelMessageMoveTask", "{}", "TaskHandle"),
        ("DeleteMessageBatch", r#"{"QueueUrl":"q","Entries":[{"Id":"a"}]}"#, "ReceiptHandle"),
    ] {
        assert_eq!(json(action, body), Err(Error::missing_parameter(parameter)), "{action} {body}");
    }
    for (body, parameter) in [
        ("Action=SendMessage&QueueUrl=q", "MessageBody"),
        ("Action=SendMessage&MessageBody=b", "QueueUrl"),
        ("Action=ChangeMessageVisibility&QueueUrl=q&ReceiptHandle=h", "VisibilityTimeout"),
        ("Action=AddPermission&QueueUrl=q&Label=l&ActionName.1=*", "AWSAccountIds"),
        ("Action=SetQueueAttributes&QueueUrl=q", "Attributes"),
        ("Action=TagQueue&QueueUrl=q", "Tags"),
        (
            "Action=DeleteMessageBatch&QueueUrl=q&DeleteMessageBatchRequestEntry.2.Id=a",
            "DeleteMessageBatchRequestEntry.2.ReceiptHandle",
        ),
    ] {
        assert_eq!(query("/", body), Err(Error::missing_parameter(parameter)), "{body}");
    }
    let message = Error::missing_parameter("MessageBody").message;
    assert_eq!(message, "The request must contain the parameter MessageBody.");
}

#[test]
fn a_body_that_does_not_fit_is_a_serialization_error_that_says_why() {
    for (body, words) in [
        (r#"{"QueueUrl":"q","MessageBody":"b","DelaySeconds":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
        (
            r#"{"QueueUrl":"q","MessageBody":"b","DelaySeconds":1.5}"#,
            "DECIMAL_VALUE can not be converted to an Integer",
        ),
        (r#"{"QueueUrl":"q","MessageBody":5}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"QueueUrl":"q","MessageBody":true}"#, "TRUE_VALUE can not be converted to a String"),
        (r#"{"QueueUrl":["q"],"MessageBody":"b"}"#, "START_ARRAY can not be converted to a String"),
        (r#"{"QueueUrl":"q","MessageBody":"b","MessageAttributes":[]}"#, "START_ARRAY can not be converted to a Map"),
        (
            r#"{"QueueUrl":"q","MessageBody":"b","MessageAttributes":{"a":"b"}}"#,
            "STRING_VALUE can not be converted to a Structure",
        ),
        (
            r#"{"QueueUrl":"q","MessageBody":"b","DelaySeconds":99999999999999999999}"#,
            "can not be converted to an Integer",
        ),
        (
            r#"{"QueueUrl":"q","MessageBody":"b","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"%"}}}"#,
            "not base64",
        ),
        (r#"{"QueueUrl":"q","MessageBody":"#, "not valid JSON: EOF"),
        (r#"{"QueueUrl":"q","MessageBody":"b"} x"#, "not valid JSON: trailing characters"),
        ("{\"QueueUrl\":\"q\",\"MessageBody\":\"a\nb\"}", "not valid JSON: control character"),
        (r#"["q","b"]"#, "Start of structure or map found where not expected"),
        ("QueueUrl=q", "Start of structure or map found where not expected"),
    ] {
        let error = json("SendMessage", body).unwrap_err();
        assert_eq!(error.code, Code::Serialization, "{body}: {error}");
        assert!(error.message.contains(words), "{body}: {error}");
    }
    let deep = format!(r#"{{"QueueUrl":"q","MessageBody":"b","X":{}"#, "[".repeat(100_000));
    assert_eq!(json("SendMessage", &deep).unwrap_err().code, Code::Serialization);
}

#[test]
fn unknown_members_and_nulls_are_passed_over() {
    let plain = json("SendMessage", r#"{"QueueUrl":"q","MessageBody":"b"}"#).unwrap();
    for body in [
        r#"{"QueueUrl":"q","MessageBody":"b","Unknown":{"deep":[1,2,{"x":null}]}}"#,
        r#"{"QueueUrl":"q","MessageBody":"b","DelaySeconds":null,"MessageAttributes":null,"MessageGroupId":null}"#,
        "\u{20}\n{\"MessageBody\":\"\\u0062\",\"QueueUrl\":\"q\"}\n",
    ] {
        assert_eq!(json("SendMessage", body), Ok(plain.clone()), "{body}");
    }
    assert_eq!(
        query("/", "Action=SendMessage&Version=2012-11-05&QueueUrl=q&MessageBody=b&X.1.Y=z&Expires=x"),
        Ok(plain)
    );
}

#[test]
fn an_action_that_there_is_not_is_refused() {
    for name in ["", "Nonsense", "sendmessage"] {
        assert_eq!(json(name, "{}").unwrap_err().code, Code::InvalidAction, "{name}");
        assert_eq!(query("/", &format!("Action={name}")).unwrap_err().code, Code::InvalidAction, "{name}");
    }
    assert_eq!(query("/", "").unwrap_err().code, Code::MissingAction);
}

#[test]
fn a_call_for_another_service_is_told_so() {
    let (method, uri) = (Method::POST, Uri::from_static("/"));
    for target in ["", "SendMessage", "DynamoDB_20120810.ListTables", "amazonsqs.SendMessage"] {
        let mut headers = HeaderMap::new();
        headers.insert(TARGET_HEADER, target.parse().unwrap());
        let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: b"{}" };
        let error = parse(Protocol::Json, &incoming).unwrap_err();
        assert_eq!(error.code, Code::InvalidAction, "{target}");
        assert!(error.message.contains(&format!("It reads '{target}'")), "{error}");
    }
}

#[test]
fn a_query_call_may_name_its_queue_by_path() {
    for (uri, body, queue_url) in [
        ("/123456789012/orders", "Action=PurgeQueue", "/123456789012/orders"),
        ("/123456789012/orders?Action=PurgeQueue", "", "/123456789012/orders"),
        ("/?Action=PurgeQueue&QueueUrl=http%3A%2F%2Fh%2F1%2Fq", "", "http://h/1/q"),
        ("/123456789012/orders", "Action=PurgeQueue&QueueUrl=orders2", "orders2"),
    ] {
        let request = Request::PurgeQueue(PurgeQueueRequest { queue_url: queue_url.into() });
        assert_eq!(query(uri, body), Ok(request), "{uri} {body}");
    }
    let (method, headers) = (Method::GET, HeaderMap::new());
    let uri = Uri::from_static("/1/q?Action=GetQueueAttributes&AttributeName=All");
    let incoming = Incoming { method: &method, uri: &uri, headers: &headers, body: b"" };
    let Ok(Request::GetQueueAttributes(request)) = parse(Protocol::Query, &incoming) else { panic!("is read") };
    assert_eq!(request.attribute_names, ["All"]);
}

#[test]
fn an_empty_list_or_map_is_written_as_a_bare_name() {
    let Request::ReceiveMessage(receive) =
        query("/", "Action=ReceiveMessage&QueueUrl=q&AttributeName=&MessageAttributeName=").unwrap()
    else {
        panic!("another action")
    };
    assert!(receive.attribute_names.is_empty() && receive.message_attribute_names.is_empty(), "{receive:?}");
    let Request::SendMessageBatch(batch) =
        query("/", "Action=SendMessageBatch&QueueUrl=q&SendMessageBatchRequestEntry=").unwrap()
    else {
        panic!("another action")
    };
    assert!(batch.entries.is_empty(), "{batch:?}");
    let Request::SendMessage(send) = query(
        "/",
        "Action=SendMessage&QueueUrl=q&MessageBody=b&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&\
         MessageAttribute.1.Value.StringValue=v&MessageAttribute.1.Value.StringListValue=&MessageSystemAttribute=",
    )
    .unwrap() else {
        panic!("another action")
    };
    assert_eq!(send.message_attributes["a"], attribute("String", Some("v"), None));
    assert!(send.message_system_attributes.is_empty());
    for (body, parameter) in [
        ("Action=SetQueueAttributes&QueueUrl=q&Attribute=", "Attributes"),
        ("Action=TagQueue&QueueUrl=q&Tag=", "Tags"),
        ("Action=UntagQueue&QueueUrl=q&TagKey=", "TagKeys"),
        ("Action=AddPermission&QueueUrl=q&Label=l&AWSAccountId=&ActionName=", "AWSAccountIds"),
    ] {
        assert_eq!(query("/", body), Err(Error::missing_parameter(parameter)), "{body}");
    }
    let Request::GetQueueAttributes(get) = query("/", "Action=GetQueueAttributes&QueueUrl=q&AttributeName.1=").unwrap()
    else {
        panic!("another action")
    };
    assert_eq!(get.attribute_names, [""], "an element that is empty is one all the same");
}

#[test]
fn old_spellings_are_read() {
    let set = |attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Ok(Request::SetQueueAttributes(SetQueueAttributesRequest { queue_url: "q".into(), attributes }))
    };
    let one = &[("DelaySeconds", "5")];
    for body in [
        "Attribute.1.Name=DelaySeconds&Attribute.1.Value=5",
        "Attribute.Name=DelaySeconds&Attribute.Value=5",
        "Attributes.entry.1.key=DelaySeconds&Attributes.entry.1.value=5",
        "Attributes.1.Name=DelaySeconds&Attributes.1.Value=5",
    ] {
        assert_eq!(query("/", &format!("Action=SetQueueAttributes&QueueUrl=q&{body}")), set(one), "{body}");
    }
    let untag = Ok(Request::UntagQueue(UntagQueueRequest { queue_url: "q".into(), tag_keys: vec!["a".into()] }));
    for body in ["TagKey.1=a", "TagKeys.member.1=a", "TagKey=a"] {
        assert_eq!(query("/", &format!("Action=UntagQueue&QueueUrl=q&{body}")), untag, "{body}");
    }
}

/// A result, its JSON, and what is in the result element of its XML (`None`: there is no such element).
fn results() -> Vec<(Response, &'static str, Option<&'static str>)> {
    let attributes = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    };
    let failed = BatchResultErrorEntry {
        id: "b".into(),
        sender_fault: true,
        code: "InvalidParameterValue".into(),
        message: text("no <such> thing"),
    };
    let message = Message {
        message_id: text("m"),
        receipt_handle: text("h"),
        md5_of_body: text("5d"),
        body: text("a\r<b>"),
        attributes: BTreeMap::from([("SenderId".into(), "s".into())]),
        md5_of_message_attributes: text("5a"),
        message_attributes: BTreeMap::from([
            ("n".to_owned(), attribute("Number", Some("1"), None)),
            ("o".to_owned(), attribute("Binary", None, Some(b"\x00\xff"))),
        ]),
    };
    let task = ListMessageMoveTasksResultEntry {
        status: text("RUNNING"),
        started_timestamp: Some(1_700_000_000_000),
        ..Default::default()
    };
    vec![
        (
            Response::SendMessage(SendMessageResult {
                md5_of_message_body: text("5d"),
                message_id: text("m"),
                sequence_number: text("18"),
                ..Default::default()
            }),
            r#"{"MD5OfMessageBody":"5d","MessageId":"m","SequenceNumber":"18"}"#,
            Some("<MessageId>m</MessageId><MD5OfMessageBody>5d</MD5OfMessageBody><SequenceNumber>18</SequenceNumber>"),
        ),
        (
            Response::SendMessageBatch(SendMessageBatchResult {
                successful: vec![SendMessageBatchResultEntry {
                    id: "a".into(),
                    message_id: "m".into(),
                    md5_of_message_body: "5d".into(),
                    ..Default::default()
                }],
                failed: vec![failed],
            }),
            r#"{"Successful":[{"Id":"a","MessageId":"m","MD5OfMessageBody":"5d"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","Message":"no <such> thing"}]}"#,
            Some(
                "<SendMessageBatchResultEntry><Id>a</Id><MessageId>m</MessageId><MD5OfMessageBody>5d</MD5OfMessageBody>\
                 </SendMessageBatchResultEntry><BatchResultErrorEntry><Id>b</Id><Code>InvalidParameterValue</Code>\
                 <Message>no &lt;such&gt; thing</Message><SenderFault>true</SenderFault></BatchResultErrorEntry>",
            ),
        ),
        (
            Response::DeleteMessageBatch(DeleteMessageBatchResult {
                successful: vec![DeleteMessageBatchResultEntry { id: "a".into() }],
                failed: Vec::new(),
            }),
            r#"{"Successful":[{"Id":"a"}]}"#,
            Some("<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>"),
        ),
        (
            Response::ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchResult {
                successful: vec![ChangeMessageVisibilityBatchResultEntry { id: "a".into() }],
                failed: Vec::new(),
            }),
            r#"{"Successful":[{"Id":"a"}]}"#,
            Some("<ChangeMessageVisibilityBatchResultEntry><Id>a</Id></ChangeMessageVisibilityBatchResultEntry>"),
        ),
        (Response::ReceiveMessage(ReceiveMessageResult::default()), "{}", Some("")),
        (
            Response::ReceiveMessage(ReceiveMessageResult { messages: vec![message] }),
            r#"{"Messages":[{"MessageId":"m","ReceiptHandle":"h","MD5OfBody":"5d","Body":"a\r<b>","Attributes":{"SenderId":"s"},"MD5OfMessageAttributes":"5a","MessageAttributes":{"n":{"StringValue":"1","DataType":"Number"},"o":{"BinaryValue":"AP8=","DataType":"Binary"}}}]}"#,
            Some(
                "<Message><MessageId>m</MessageId><ReceiptHandle>h</ReceiptHandle><MD5OfBody>5d</MD5OfBody>\
                 <MD5OfMessageAttributes>5a</MD5OfMessageAttributes><Body>a&#xD;&lt;b&gt;</Body>\
                 <Attribute><Name>SenderId</Name><Value>s</Value></Attribute>\
                 <MessageAttribute><Name>n</Name><Value><StringValue>1</StringValue><DataType>Number</DataType></Value>\
                 </MessageAttribute><MessageAttribute><Name>o</Name><Value><BinaryValue>AP8=</BinaryValue>\
                 <DataType>Binary</DataType></Value></MessageAttribute></Message>",
            ),
        ),
        (
            Response::CreateQueue(CreateQueueResult { queue_url: text("http://h/1/q") }),
            r#"{"QueueUrl":"http://h/1/q"}"#,
            Some("<QueueUrl>http://h/1/q</QueueUrl>"),
        ),
        (
            Response::GetQueueUrl(GetQueueUrlResult { queue_url: text("u") }),
            r#"{"QueueUrl":"u"}"#,
            Some("<QueueUrl>u</QueueUrl>"),
        ),
        (
            Response::GetQueueAttributes(GetQueueAttributesResult { attributes: attributes(&[("DelaySeconds", "0")]) }),
            r#"{"Attributes":{"DelaySeconds":"0"}}"#,
            Some("<Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>"),
        ),
        (
            Response::ListQueueTags(ListQueueTagsResult { tags: attributes(&[("k", "v")]) }),
            r#"{"Tags":{"k":"v"}}"#,
            Some("<Tag><Key>k</Key><Value>v</Value></Tag>"),
        ),
        (
            Response::ListQueues(ListQueuesResult { queue_urls: vec!["a".into(), "b".into()], next_token: text("t") }),
            r#"{"QueueUrls":["a","b"],"NextToken":"t"}"#,
            Some("<QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl><NextToken>t</NextToken>"),
        ),
        (
            Response::ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesResult {
                queue_urls: vec!["a".into()],
                next_token: None,
            }),
            r#"{"queueUrls":["a"]}"#,
            Some("<QueueUrl>a</QueueUrl>"),
        ),
        (
            Response::StartMessageMoveTask(StartMessageMoveTaskResult { task_handle: text("h") }),
            r#"{"TaskHandle":"h"}"#,
            Some("<TaskHandle>h</TaskHandle>"),
        ),
        (
            Response::CancelMessageMoveTask(CancelMessageMoveTaskResult {
                approximate_number_of_messages_moved: Some(7),
            }),
            r#"{"ApproximateNumberOfMessagesMoved":7}"#,
            Some("<ApproximateNumberOfMessagesMoved>7</ApproximateNumberOfMessagesMoved>"),
        ),
        (
            Response::ListMessageMoveTasks(ListMessageMoveTasksResult { results: vec![task] }),
            r#"{"Results":[{"Status":"RUNNING","StartedTimestamp":1700000000000}]}"#,
            Some(
                "<ListMessageMoveTasksResultEntry><Status>RUNNING</Status>\
                 <StartedTimestamp>1700000000000</StartedTimestamp></ListMessageMoveTasksResultEntry>",
            ),
        ),
        (Response::AddPermission, "{}", None),
        (Response::ChangeMessageVisibility, "{}", None),
        (Response::DeleteMessage, "{}", None),
        (Response::DeleteQueue, "{}", None),
        (Response::PurgeQueue, "{}", None),
        (Response::RemovePermission, "{}", None),
        (Response::SetQueueAttributes, "{}", None),
        (Response::TagQueue, "{}", None),
        (Response::UntagQueue, "{}", None),
    ]
}

#[test]
fn results_are_written_in_both_protocols_and_read_back_by_clients() {
    for (response, json, xml) in results() {
        let action = response.action().name();
        let outcome = Ok(response.clone());
        let reply = render(Protocol::Json, "id-1", &outcome);
        assert_eq!(std::str::from_utf8(reply.body()).unwrap(), json);
        assert_eq!(reply.headers()["content-type"], "application/x-amz-json-1.0");
        assert_eq!(reply.headers()["x-amzn-requestid"], "id-1");
        assert_eq!(response_json(action, 200, reply.body()).unwrap(), response);

        let reply = render(Protocol::Query, "id-1", &outcome);
        let result = xml.map(|xml| format!("<{action}Result>{xml}</{action}Result>")).unwrap_or_default();
        let document = format!(
            "<?xml version=\"1.0\"?><{action}Response xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">{result}\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></{action}Response>"
        );
        assert_eq!(std::str::from_utf8(reply.body()).unwrap(), document);
        assert_eq!(reply.headers()["content-type"], "text/xml");
    }
    let mut written: Vec<_> = results().iter().map(|(response, ..)| response.action().name()).collect();
    written.dedup();
    assert_eq!(written.len(), Action::ALL.len(), "every action is here");
}

#[test]
fn errors_have_their_names_in_both_protocols() {
    for (error, status, json, query_error) in [
        (
            Error::queue_does_not_exist(),
            400,
            r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#,
            "AWS.SimpleQueueService.NonExistentQueue;Sender",
        ),
        (
            Error::missing_parameter("X"),
            400,
            r#"{"__type":"com.amazon.coral.service#MissingRequiredParameterException","message":"The request must contain the parameter X."}"#,
            "MissingParameter;Sender",
        ),
        (
            Error::new(Code::QueueNameExists, "m"),
            400,
            r#"{"__type":"com.amazonaws.sqs#QueueNameExists","message":"m"}"#,
            "QueueAlreadyExists;Sender",
        ),
        (
            Error::service_unavailable("later"),
            503,
            r#"{"__type":"com.amazon.coral.service#ServiceUnavailableException","message":"later"}"#,
            "ServiceUnavailable;Receiver",
        ),
    ] {
        let reply = render(Protocol::Json, "id-1", &Err(error.clone()));
        assert_eq!(
            (reply.status().as_u16(), &reply.headers()["x-amzn-query-error"]),
            (status, &query_error.parse().unwrap())
        );
        assert_eq!(std::str::from_utf8(reply.body()).unwrap(), json);
        let read = response_json("SendMessage", status, reply.body()).unwrap_err();
        assert_eq!((read.known(), &read.message), (Some(error.code), &error.message));

        let reply = render(Protocol::Query, "id-1", &Err(error.clone()));
        let (code, fault) = query_error.split_once(';').unwrap();
        let message = &error.message;
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(
            std::str::from_utf8(reply.body()).unwrap(),
            format!(
                "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error>\
                 <Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message><Detail></Detail></Error>\
                 <RequestId>id-1</RequestId></ErrorResponse>"
            )
        );
    }
}

#[test]
fn clients_are_told_what_came_instead_of_a_reply() {
    for (action, status, body, code, words) in [
        ("SendMessage", 400, r#"{"__type":"a#B","Message":"m"}"#, "B", "m"),
        ("SendMessage", 502, "<html>Bad Gateway</html>", "UnreadableReply", "HTTP 502"),
        ("SendMessage", 403, "", "UnreadableReply", "HTTP 403"),
        ("SendMessage", 200, "<html>", "UnreadableReply", "the reply to SendMessage can't be read"),
        ("Nonsense", 200, "{}", "UnreadableReply", "no action"),
    ] {
        let RemoteError { code: got, message, status: seen } =
            response_json(action, status, body.as_bytes()).unwrap_err();
        assert_eq!((got.as_str(), seen), (code, status), "{body}");
        assert!(message.contains(words), "{message}");
    }
    // What has no result may come without a body.
    assert_eq!(response_json("DeleteMessage", 200, b""), Ok(Response::DeleteMessage));
}

#[test]
fn every_code_has_names_of_its_own() {
    for names in [Code::shape, Code::query_code] {
        let mut all: Vec<_> = Code::ALL.iter().map(|code| names(*code)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Code::ALL.len());
    }
    for code in Code::ALL {
        assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
    }
}

#[test]
fn md5s_are_those_that_sdks_compute() {
    assert_eq!(message_md5(""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(message_md5("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
    let of = |pairs: &[(&str, MessageAttributeValue)]| {
        attributes_md5(&pairs.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
    };
    assert_eq!(of(&[]), None);
    for (attributes, md5) in [
        (vec![("timestamp", attribute("Number", Some("1493147359900"), None))], "235c5c510d26fb653d073faed50ae77c"),
        (
            vec![("timestamp", attribute("Number.java.lang.Long", Some("1493147359900"), None))],
            "2e2e4876d8e0bd6b8c2c8f556831c349",
        ),
        (
            vec![
                ("Weight", attribute("Number.int", Some("42"), None)),
                ("Trace", attribute("String", Some("a b+c&d=é €\"<>\n"), None)),
                ("Blob", attribute("Binary", None, Some(b"\x00\x01\xff+/="))),
            ],
            "ce2f6b140713bf81cfaa51936c4ecc1d",
        ),
        (
            vec![("AWSTraceHeader", attribute("String", Some("Root=1-5759e988-bd862e3fe1be46a994272793"), None))],
            "62a56dd927315f2b2e12832b84617ea5",
        ),
    ] {
        assert_eq!(of(&attributes).as_deref(), Some(md5));
    }
}
