//! The Query protocol, as old SDKs speak it.

use crate::rig::Rig;
use bytes::Bytes;
use serde_json::json;

#[tokio::test]
async fn a_message_goes_its_way_in_forms_and_xml() {
    let rig = Rig::start().await;
    let created = rig
        .query("/", "Action=CreateQueue&QueueName=chores&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=5&Version=2012-11-05")
        .await;
    assert_eq!(created.status, 200, "{}", created.body);
    assert!(created.body.contains(&format!("<QueueUrl>http://{}/000000000000/chores</QueueUrl>", rig.address)));
    let form = "Action=SendMessage&MessageBody=a%26b+%C3%A4&MessageAttribute.1.Name=k&\
                MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v";
    for path in ["/000000000000/chores", "/queue/chores"] {
        let sent = rig.query(path, form).await;
        assert_eq!(sent.status, 200, "{path}: {}", sent.body);
    }
    let url = format!("QueueUrl=https://sqs.us-east-1.amazonaws.com/000000000000/chores&{form}");
    assert_eq!(rig.query("/", &url).await.status, 200);

    let received = rig
        .query(
            "/000000000000/chores",
            "Action=ReceiveMessage&MaxNumberOfMessages=10&AttributeName.1=All&MessageAttributeName.1=All",
        )
        .await;
    assert_eq!(received.body.matches("<Message>").count(), 3, "{}", received.body);
    assert!(received.body.contains("<Body>a&amp;b ä</Body>"), "{}", received.body);
    assert!(received.body.contains("<StringValue>v</StringValue>"));
    let handle = received.body.split("<ReceiptHandle>").nth(1).unwrap().split('<').next().unwrap();
    let deleted = rig.query("/000000000000/chores", &format!("Action=DeleteMessage&ReceiptHandle={handle}")).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);

    let counted = rig
        .get("/000000000000/chores?Action=GetQueueAttributes&AttributeName.1=ApproximateNumberOfMessagesNotVisible")
        .await;
    assert!(counted.body.contains("<Value>2</Value>"), "{}", counted.body);
}

#[tokio::test]
async fn errors_are_xml_with_the_codes_of_old() {
    let rig = Rig::start().await;
    rig.standard("chores").await;
    for (path, form, status, code) in [
        ("/000000000000/nothing", "Action=SendMessage&MessageBody=x", 400, "AWS.SimpleQueueService.NonExistentQueue"),
        ("/000000000000/chores", "Action=SendMessage", 400, "MissingParameter"),
        ("/000000000000/chores", "Action=ReceiveMessage&MaxNumberOfMessages=11", 400, "InvalidParameterValue"),
        ("/000000000000/chores", "Action=ReceiveMessage&MaxNumberOfMessages=many", 400, "InvalidParameterValue"),
        ("/000000000000/chores", "Action=DeleteMessage&ReceiptHandle=x", 404, "ReceiptHandleIsInvalid"),
        ("/", "Action=Nonsense", 400, "InvalidAction"),
        ("/", "QueueName=x", 400, "MissingAction"),
    ] {
        let reply = rig.query(path, form).await;
        assert_eq!(reply.status, status, "{form}: {}", reply.body);
        assert!(reply.body.contains(&format!("<Code>{code}</Code>")), "{form}: {}", reply.body);
        assert!(reply.body.contains("<Type>Sender</Type>"), "{}", reply.body);
        let id = reply.header("x-amzn-requestid");
        assert!(id.len() == 36 && reply.body.contains(id), "the request's id is in the reply: {}", reply.body);
    }
}

#[tokio::test]
async fn a_url_that_forgot_its_action_is_not_answered_as_if_it_were_done() {
    let rig = Rig::start().await;
    // What SDKs that speak JSON presign: every parameter but the action.
    for path in ["/?QueueUrl=chores&MessageBody=x&X-Amz-Algorithm=AWS4-HMAC-SHA256", "/?action=ListQueues"] {
        let reply = rig.get(path).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.body);
        assert!(reply.body.contains("<Code>MissingAction</Code>"), "{path}: {}", reply.body);
    }
    for path in ["/", "/?"] {
        let welcome = rig.get(path).await;
        assert_eq!(welcome.status, 200, "{path}");
        assert!(welcome.body.contains("Amazon SQS"), "{path}: {}", welcome.body);
    }
}

#[tokio::test]
async fn who_am_i_is_answered() {
    let rig = Rig::start().await;
    let request = rig
        .request("POST", "/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", crate::rig::authorization("123456789012", "eu-west-1"));
    let reply = rig.send(request.body("Action=GetCallerIdentity&Version=2011-06-15".into()).unwrap()).await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("<Account>123456789012</Account>"), "{}", reply.body);
}

#[tokio::test]
async fn a_call_by_another_method_does_nothing() {
    let rig = Rig::start().await;
    let work = rig.standard("work").await;
    rig.call("SendMessage", json!({"QueueUrl": work, "MessageBody": "x"})).await;
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        let request = rig.request(method, "/000000000000/work?Action=ReceiveMessage");
        let reply = rig.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, POST"), "{method}");
    }
    assert_eq!(rig.receive(&work).await.len(), 1, "nobody has it");
}
