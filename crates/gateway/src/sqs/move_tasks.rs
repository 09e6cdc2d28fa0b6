//! StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask.

use super::{
    call::{Call, changeable, plainly, unexpected},
    move_handle::MoveHandle,
    refusal::not_found,
};
use afterward_aws::{
    Error,
    sqs::{
        CancelMessageMoveTaskRequest, CancelMessageMoveTaskResult, ListMessageMoveTasksRequest,
        ListMessageMoveTasksResult, ListMessageMoveTasksResultEntry, Response, StartMessageMoveTaskRequest,
        StartMessageMoveTaskResult,
    },
};
use afterward_broker::machine::{Command, MoveFailure, MoveOutcome, MoveView, Refusal, Reply, StartMove};
use afterward_names::{QueueArn, limits};

/// The most results of a list.
const RESULTS: i64 = 10;

pub(super) async fn start(call: &Call<'_>, request: StartMessageMoveTaskRequest) -> Result<Response, Error> {
    let changed =
        |arn, parameter| own_queue(call, arn, parameter).and_then(|QueueArn(queue)| changeable(queue).map(QueueArn));
    let source = changed(&request.source_arn, "SourceArn")?;
    let destination = request.destination_arn.as_deref().map(|arn| changed(arn, "DestinationArn")).transpose()?;
    let max_per_s = request.max_number_of_messages_per_second.map(rate).transpose()?;
    let command = Command::StartMove(StartMove { source: source.clone(), destination, max_per_s });
    let explain = |refusal| match refusal {
        Refusal::NoSuchQueue => no_resource("SourceArn"),
        refusal => plainly(refusal),
    };
    match call.execute(command, explain).await? {
        Reply::MoveStarted { task } => Ok(Response::StartMessageMoveTask(StartMessageMoveTaskResult {
            task_handle: Some(MoveHandle { task, source }.into_text()),
        })),
        reply => Err(unexpected(&reply)),
    }
}

pub(super) async fn list(call: &Call<'_>, request: ListMessageMoveTasksRequest) -> Result<Response, Error> {
    let source = own_queue(call, &request.source_arn, "SourceArn")?;
    let count = request.max_results.unwrap_or(1);
    if !(1..=RESULTS).contains(&count) {
        return Err(Error::invalid_value(count, "MaxResults", "Must be between 1 and 10, if provided."));
    }
    check_there(call, &source).await?;
    let moves = call.read(move |state| state.moves(&source)).await?;
    let results = moves.into_iter().take(count as usize).map(entry).collect();
    Ok(Response::ListMessageMoveTasks(ListMessageMoveTasksResult { results }))
}

pub(super) async fn cancel(call: &Call<'_>, request: CancelMessageMoveTaskRequest) -> Result<Response, Error> {
    let handle = MoveHandle::read(&request.task_handle)
        .ok_or_else(|| Error::invalid_value(&request.task_handle, "TaskHandle", "It is not a task handle."))?;
    let no_task = || not_found("Task does not exist.");
    if !call.sees(&handle.source.0) {
        return Err(no_task());
    }
    let (task, source) = (handle.task, handle.source);
    let account = source.0.account;
    let known = call.read(move |state| state.moves(&source).iter().any(|view| view.task == task)).await?;
    if !known {
        return Err(no_task());
    }
    match call.execute(Command::CancelMove { account, task }, plainly).await? {
        Reply::MoveCancelled { moved } => Ok(Response::CancelMessageMoveTask(CancelMessageMoveTaskResult {
            approximate_number_of_messages_moved: Some(moved as i64),
        })),
        reply => Err(unexpected(&reply)),
    }
}

/// The queue of an ARN, which has to be one that the caller sees.
fn own_queue(call: &Call<'_>, arn: &str, parameter: &str) -> Result<QueueArn, Error> {
    let arn: QueueArn = arn.parse().map_err(|_| {
        Error::invalid_parameter_value(format!(
            "You must use this format to specify the {parameter}: \
             arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ))
    })?;
    if call.sees(&arn.0) {
        return Ok(arn);
    }
    Err(no_resource(parameter))
}

fn no_resource(parameter: &str) -> Error {
    not_found(&format!("The resource that you specified for the {parameter} parameter doesn't exist."))
}

async fn check_there(call: &Call<'_>, source: &QueueArn) -> Result<(), Error> {
    let queue = source.0.clone();
    let is_there = call.read(move |state| state.queue_at(&queue).is_some()).await?;
    if is_there { Ok(()) } else { Err(no_resource("SourceArn")) }
}

fn rate(asked: i64) -> Result<u32, Error> {
    let fits = u64::try_from(asked).ok().filter(|rate| limits::MOVE_RATE_PER_S.contains(rate));
    fits.map(|rate| rate as u32).ok_or_else(|| {
        let reason = "You must enter a value between 1 and 500.";
        Error::invalid_value(asked, "MaxNumberOfMessagesPerSecond", reason)
    })
}

/// AWS's code, bare, for callers compare it.
fn code(reason: MoveFailure) -> &'static str {
    match reason {
        MoveFailure::QueueGone => "AWS.SimpleQueueService.NonExistentQueue",
        MoveFailure::SourceUnknown => "CouldNotDetermineMessageSource",
    }
}

fn entry(view: MoveView) -> ListMessageMoveTasksResultEntry {
    let (status, failure_reason) = match view.outcome {
        None if view.cancelling => ("CANCELLING", None),
        None => ("RUNNING", None),
        Some(MoveOutcome::Completed) => ("COMPLETED", None),
        Some(MoveOutcome::Cancelled) => ("CANCELLED", None),
        Some(MoveOutcome::Failed(reason)) => ("FAILED", Some(code(reason).into())),
    };
    let handle = MoveHandle { task: view.task, source: view.source.clone() };
    ListMessageMoveTasksResultEntry {
        // Only what runs can be cancelled, so only that has a handle.
        task_handle: (status == "RUNNING").then(|| handle.into_text()),
        status: Some(status.into()),
        source_arn: Some(view.source.to_string()),
        destination_arn: view.destination.map(|arn| arn.to_string()),
        max_number_of_messages_per_second: view.max_per_s.map(i64::from),
        approximate_number_of_messages_moved: Some(view.moved as i64),
        approximate_number_of_messages_to_move: Some(view.to_move as i64),
        failure_reason,
        started_timestamp: Some(view.started_ms as i64),
    }
}
