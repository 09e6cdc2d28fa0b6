//! The Query protocol's requests: which parameters make which member.
//!
//! The names are those of the SQS model of before November 2023, when SDKs spoke Query; JSON's plural names and the
//! unnumbered spellings of AWS's older examples are taken too.

use super::*;
use crate::query::{Node, action, parameters};
use base64::{Engine, engine::general_purpose::STANDARD};

const ATTRIBUTES: &[&str] = &["Attribute", "Attributes"];
const ATTRIBUTE_NAMES: &[&str] = &["AttributeName", "AttributeNames"];
const MESSAGE_ATTRIBUTES: &[&str] = &["MessageAttribute", "MessageAttributes"];
const MESSAGE_ATTRIBUTE_NAMES: &[&str] = &["MessageAttributeName", "MessageAttributeNames"];
const MESSAGE_SYSTEM_ATTRIBUTES: &[&str] = &["MessageSystemAttribute", "MessageSystemAttributes"];
const MESSAGE_SYSTEM_ATTRIBUTE_NAMES: &[&str] = &["MessageSystemAttributeName", "MessageSystemAttributeNames"];
const TAGS: &[&str] = &["Tag", "Tags", "tags"];
const TAG_KEYS: &[&str] = &["TagKey", "TagKeys"];
const ACCOUNTS: &[&str] = &["AWSAccountId", "AWSAccountIds"];
const ACTIONS: &[&str] = &["ActionName", "Actions"];

/// Reads a request.
pub(super) fn parse(incoming: &Incoming<'_>) -> Result<Request, Error> {
    let name = action(incoming).ok_or_else(Error::missing_action)?;
    let action = Action::named(&name).ok_or_else(|| Error::invalid_action(&name))?;
    let mut node = parameters(incoming)?;
    // A call to a queue's own URL need not name it again.
    let path = Some(incoming.uri.path()).filter(|path| path.len() > 1);
    read(action, &mut Call { node: &mut node, path })
}

/// A call's parameters, and the queue that its path names.
struct Call<'a, 'b> {
    node: &'a mut Node<'b>,
    path: Option<&'b str>,
}

impl Call<'_, '_> {
    fn queue_url(&mut self) -> Result<String, Error> {
        match (self.node.text("QueueUrl"), self.path) {
            (Some(url), _) => Ok(url),
            (None, Some(path)) => Ok(path.to_owned()),
            (None, None) => Err(Error::missing_parameter("QueueUrl")),
        }
    }
}

fn read(action: Action, call: &mut Call<'_, '_>) -> Result<Request, Error> {
    match action {
        Action::SendMessage
        | Action::SendMessageBatch
        | Action::ReceiveMessage
        | Action::DeleteMessage
        | Action::DeleteMessageBatch
        | Action::ChangeMessageVisibility
        | Action::ChangeMessageVisibilityBatch => message_actions(action, call),
        Action::StartMessageMoveTask | Action::CancelMessageMoveTask | Action::ListMessageMoveTasks => {
            move_actions(action, call.node)
        }
        _ => queue_actions(action, call),
    }
}

fn message_actions(action: Action, call: &mut Call<'_, '_>) -> Result<Request, Error> {
    let queue_url = call.queue_url()?;
    let node = &mut *call.node;
    Ok(match action {
        Action::SendMessage => Request::SendMessage(SendMessageRequest {
            queue_url,
            message_body: node.required("MessageBody")?,
            delay_seconds: node.integer("DelaySeconds")?,
            message_attributes: node.map(MESSAGE_ATTRIBUTES, attribute_value)?,
            message_system_attributes: node.map(MESSAGE_SYSTEM_ATTRIBUTES, attribute_value)?,
            message_deduplication_id: node.text("MessageDeduplicationId"),
            message_group_id: node.text("MessageGroupId"),
        }),
        Action::SendMessageBatch => Request::SendMessageBatch(SendMessageBatchRequest {
            queue_url,
            entries: entries(node, &["SendMessageBatchRequestEntry", "Entries"], send_entry)?,
        }),
        Action::ReceiveMessage => Request::ReceiveMessage(ReceiveMessageRequest {
            queue_url,
            attribute_names: node.texts(ATTRIBUTE_NAMES),
            message_system_attribute_names: node.texts(MESSAGE_SYSTEM_ATTRIBUTE_NAMES),
            message_attribute_names: node.texts(MESSAGE_ATTRIBUTE_NAMES),
            max_number_of_messages: node.integer("MaxNumberOfMessages")?,
            visibility_timeout: node.integer("VisibilityTimeout")?,
            wait_time_seconds: node.integer("WaitTimeSeconds")?,
            receive_request_attempt_id: node.text("ReceiveRequestAttemptId"),
        }),
        Action::DeleteMessage => {
            Request::DeleteMessage(DeleteMessageRequest { queue_url, receipt_handle: node.required("ReceiptHandle")? })
        }
        Action::DeleteMessageBatch => Request::DeleteMessageBatch(DeleteMessageBatchRequest {
            queue_url,
            entries: entries(node, &["DeleteMessageBatchRequestEntry", "Entries"], delete_entry)?,
        }),
        Action::ChangeMessageVisibility => Request::ChangeMessageVisibility(ChangeMessageVisibilityRequest {
            queue_url,
            receipt_handle: node.required("ReceiptHandle")?,
            visibility_timeout: node
                .integer("VisibilityTimeout")?
                .ok_or_else(|| Error::missing_parameter("VisibilityTimeout"))?,
        }),
        Action::ChangeMessageVisibilityBatch => {
            Request::ChangeMessageVisibilityBatch(ChangeMessageVisibilityBatchRequest {
                queue_url,
                entries: entries(node, &["ChangeMessageVisibilityBatchRequestEntry", "Entries"], visibility_entry)?,
            })
        }
        other => return Err(Error::invalid_action(other.name())),
    })
}

fn entries<T>(
    node: &mut Node<'_>,
    names: &'static [&'static str],
    read: impl FnMut(Node<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    node.list(names).into_iter().map(read).collect()
}

fn send_entry(mut node: Node<'_>) -> Result<SendMessageBatchRequestEntry, Error> {
    Ok(SendMessageBatchRequestEntry {
        id: node.required("Id")?,
        message_body: node.required("MessageBody")?,
        delay_seconds: node.integer("DelaySeconds")?,
        message_attributes: node.map(MESSAGE_ATTRIBUTES, attribute_value)?,
        message_system_attributes: node.map(MESSAGE_SYSTEM_ATTRIBUTES, attribute_value)?,
        message_deduplication_id: node.text("MessageDeduplicationId"),
        message_group_id: node.text("MessageGroupId"),
    })
}

fn delete_entry(mut node: Node<'_>) -> Result<DeleteMessageBatchRequestEntry, Error> {
    Ok(DeleteMessageBatchRequestEntry { id: node.required("Id")?, receipt_handle: node.required("ReceiptHandle")? })
}

fn visibility_entry(mut node: Node<'_>) -> Result<ChangeMessageVisibilityBatchRequestEntry, Error> {
    Ok(ChangeMessageVisibilityBatchRequestEntry {
        id: node.required("Id")?,
        receipt_handle: node.required("ReceiptHandle")?,
        visibility_timeout: node.integer("VisibilityTimeout")?,
    })
}

fn attribute_value(mut node: Node<'_>) -> Result<MessageAttributeValue, Error> {
    let blob = |text: String| match STANDARD.decode(text.as_bytes()) {
        Ok(bytes) => Ok(Blob(bytes)),
        Err(_) => Err(Error::invalid_value(text, "BinaryValue", "Must be base64.")),
    };
    Ok(MessageAttributeValue {
        string_value: node.text("StringValue"),
        binary_value: node.text("BinaryValue").map(blob).transpose()?,
        string_list_values: node.texts(&["StringListValue", "StringListValues"]),
        binary_list_values: node
            .texts(&["BinaryListValue", "BinaryListValues"])
            .into_iter()
            .map(blob)
            .collect::<Result<_, _>>()?,
        data_type: node.text("DataType").unwrap_or_default(),
    })
}

fn move_actions(action: Action, node: &mut Node<'_>) -> Result<Request, Error> {
    Ok(match action {
        Action::StartMessageMoveTask => Request::StartMessageMoveTask(StartMessageMoveTaskRequest {
            source_arn: node.required("SourceArn")?,
            destination_arn: node.text("DestinationArn"),
            max_number_of_messages_per_second: node.integer("MaxNumberOfMessagesPerSecond")?,
        }),
        Action::CancelMessageMoveTask => {
            Request::CancelMessageMoveTask(CancelMessageMoveTaskRequest { task_handle: node.required("TaskHandle")? })
        }
        Action::ListMessageMoveTasks => Request::ListMessageMoveTasks(ListMessageMoveTasksRequest {
            source_arn: node.required("SourceArn")?,
            max_results: node.integer("MaxResults")?,
        }),
        other => return Err(Error::invalid_action(other.name())),
    })
}

fn queue_actions(action: Action, call: &mut Call<'_, '_>) -> Result<Request, Error> {
    Ok(match action {
        Action::CreateQueue => Request::CreateQueue(CreateQueueRequest {
            queue_name: call.node.required("QueueName")?,
            attributes: call.node.text_map(ATTRIBUTES)?,
            tags: call.node.text_map(TAGS)?,
        }),
        Action::GetQueueUrl => Request::GetQueueUrl(GetQueueUrlRequest {
            queue_name: call.node.required("QueueName")?,
            queue_owner_aws_account_id: call.node.text("QueueOwnerAWSAccountId"),
        }),
        Action::ListQueues => Request::ListQueues(ListQueuesRequest {
            queue_name_prefix: call.node.text("QueueNamePrefix"),
            next_token: call.node.text("NextToken"),
            max_results: call.node.integer("MaxResults")?,
        }),
        Action::ListDeadLetterSourceQueues => Request::ListDeadLetterSourceQueues(ListDeadLetterSourceQueuesRequest {
            queue_url: call.queue_url()?,
            next_token: call.node.text("NextToken"),
            max_results: call.node.integer("MaxResults")?,
        }),
        Action::DeleteQueue => Request::DeleteQueue(DeleteQueueRequest { queue_url: call.queue_url()? }),
        Action::PurgeQueue => Request::PurgeQueue(PurgeQueueRequest { queue_url: call.queue_url()? }),
        Action::GetQueueAttributes => Request::GetQueueAttributes(GetQueueAttributesRequest {
            queue_url: call.queue_url()?,
            attribute_names: call.node.texts(ATTRIBUTE_NAMES),
        }),
        Action::SetQueueAttributes => Request::SetQueueAttributes(SetQueueAttributesRequest {
            queue_url: call.queue_url()?,
            attributes: some(call.node.text_map(ATTRIBUTES)?, "Attributes")?,
        }),
        Action::ListQueueTags => Request::ListQueueTags(ListQueueTagsRequest { queue_url: call.queue_url()? }),
        Action::TagQueue => Request::TagQueue(TagQueueRequest {
            queue_url: call.queue_url()?,
            tags: some(call.node.text_map(TAGS)?, "Tags")?,
        }),
        Action::UntagQueue => Request::UntagQueue(UntagQueueRequest {
            queue_url: call.queue_url()?,
            tag_keys: some(call.node.texts(TAG_KEYS), "TagKeys")?,
        }),
        Action::AddPermission => Request::AddPermission(AddPermissionRequest {
            queue_url: call.queue_url()?,
            label: call.node.required("Label")?,
            aws_account_ids: some(call.node.texts(ACCOUNTS), "AWSAccountIds")?,
            actions: some(call.node.texts(ACTIONS), "Actions")?,
        }),
        Action::RemovePermission => Request::RemovePermission(RemovePermissionRequest {
            queue_url: call.queue_url()?,
            label: call.node.required("Label")?,
        }),
        other => return Err(Error::invalid_action(other.name())),
    })
}

/// A list or map that has to be there: Query has no way to write an empty one.
fn some<C: Default + PartialEq>(collection: C, name: &str) -> Result<C, Error> {
    if collection == C::default() { Err(Error::missing_parameter(name)) } else { Ok(collection) }
}
