//! AddPermission and RemovePermission.

use super::{
    call::{Call, unavailable_error},
    policy::{Permission, Policy},
    refusal,
};
use afterward_aws::{
    Code, Error,
    sqs::{AddPermissionRequest, RemovePermissionRequest, Response},
};
use afterward_broker::{
    Failure,
    machine::{AttributeChanges, Command, Refusal, SetAttributes},
};
use afterward_names::{QueueAddress, limits};

/// How often to try when others change the policy at the same time.
const TRIES: usize = 20;

/// The most actions that one permission may name.
const ACTIONS: usize = 7;

/// What can be permitted. All else is the owner's alone.
///
/// Source: SQS API reference, AddPermission, `Actions`.
const PERMITTABLE: [&str; 9] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
];

pub(super) async fn add(call: &Call<'_>, request: AddPermissionRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    let permission = checked(request)?;
    let arn = queue.arn();
    edit(call, queue, |policy| {
        if policy.add(&permission, &arn) {
            Ok(())
        } else {
            Err(Error::invalid_value(&permission.label, "Label", "Already exists."))
        }
    })
    .await?;
    Ok(Response::AddPermission)
}

pub(super) async fn remove(call: &Call<'_>, request: RemovePermissionRequest) -> Result<Response, Error> {
    let queue = call.queue(&request.queue_url)?;
    check_label(&request.label)?;
    edit(call, queue, |policy| {
        if policy.remove(&request.label) {
            Ok(())
        } else {
            Err(Error::invalid_value(&request.label, "Label", "can't find label on existing policy."))
        }
    })
    .await?;
    Ok(Response::RemovePermission)
}

/// Changes the queue's policy by reading it and setting it if it is still the same.
async fn edit(
    call: &Call<'_>,
    queue: QueueAddress,
    change: impl Fn(&mut Policy) -> Result<(), Error>,
) -> Result<(), Error> {
    for _ in 0..TRIES {
        let stored = call.read_queue(queue.clone(), |queue| queue.attributes.policy.clone()).await?;
        let mut policy = Policy::of(stored.as_deref(), &queue.arn());
        change(&mut policy)?;
        let text = policy.into_text();
        if text.as_ref().is_some_and(|text| text.len() > limits::POLICY_BYTES) {
            let message = format!("The queue's policy would be longer than {} bytes.", limits::POLICY_BYTES);
            return Err(Error::new(Code::OverLimit, message));
        }
        let command = Command::SetAttributes(SetAttributes {
            queue: queue.clone(),
            attributes: AttributeChanges { policy: Some(text), ..AttributeChanges::default() },
            expected_policy: Some(stored),
        });
        match call.broker().execute(command).await {
            Ok(_) => return Ok(()),
            Err(Failure::Refused(Refusal::PolicyChanged)) => {}
            Err(Failure::Refused(refusal)) => return Err(refusal::error(&refusal)),
            Err(Failure::Unavailable(unavailable)) => return Err(unavailable_error(unavailable)),
        }
    }
    Err(refusal::error(&Refusal::PolicyChanged))
}

fn checked(request: AddPermissionRequest) -> Result<Permission, Error> {
    check_label(&request.label)?;
    if request.aws_account_ids.is_empty() {
        return Err(Error::missing_parameter("AWSAccountIds"));
    }
    if request.actions.is_empty() {
        return Err(Error::missing_parameter("Actions"));
    }
    if request.actions.len() > ACTIONS {
        let message = format!("{} Actions were found, maximum allowed is {ACTIONS}.", request.actions.len());
        return Err(Error::new(Code::OverLimit, message));
    }
    for action in &request.actions {
        if !PERMITTABLE.contains(&action.as_str()) {
            let reason = "Only the queue owner is allowed to invoke this action.";
            return Err(Error::invalid_value(format!("SQS:{action}"), "ActionName", reason));
        }
    }
    let accounts: Result<Vec<_>, _> = request.aws_account_ids.iter().map(|account| account.parse()).collect();
    let accounts = accounts.map_err(|_| {
        Error::invalid_value(format!("[{}]", request.aws_account_ids.join(", ")), "PrincipalId", "Unable to verify.")
    })?;
    Ok(Permission { label: request.label, accounts, actions: request.actions })
}

fn check_label(label: &str) -> Result<(), Error> {
    if label.is_empty() {
        return Err(Error::missing_parameter("Label"));
    }
    let fits = label.len() <= 80 && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits {
        return Ok(());
    }
    let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
    Err(Error::invalid_value(label, "Label", reason))
}
