//! All that can be seen of a state, compared with the model.

use crate::pair::{Names, same};
use crate::reference::{Message, Model, Place, Queue};
use crate::schedules::compare_schedules;
use afterward_machine::{Counts, JobView, MessageView, MoveView, QueueId, QueueView, Standing, State};
use afterward_names::QueueAddress;
use std::collections::BTreeMap;

pub(crate) fn compare(model: &Model, state: &State, names: &Names) -> Result<(), String> {
    same!("the time", state.now_ms(), model.now_ms);
    same!("what is due next", state.next_due_ms(), model.next_due_ms());
    same!("when tasks go on", state.next_move_ms(), model.next_move_ms());
    same!("how many messages", state.message_count(), model.messages.len() as u64);
    let mut queues: Vec<&Queue> = model.queues.iter().collect();
    queues.sort_by_key(|queue| &queue.address);
    let seen: Vec<QueueView<'_>> = state.all_queues().collect();
    let addresses: Vec<_> = seen.iter().map(|view| view.address).collect();
    same!("the queues", addresses, queues.iter().map(|queue| &queue.address).collect::<Vec<_>>());
    let numbers = names.ids.iter().enumerate().map(|(number, id)| (*id, number)).collect();
    for (view, queue) in seen.iter().zip(queues) {
        let of = |difference| format!("{}: {difference}", queue.address.name);
        compare_queue(model, state, queue, view).map_err(of)?;
        compare_lists(model, state, queue).map_err(of)?;
        compare_messages(model, state, queue, &numbers, names).map_err(of)?;
    }
    compare_jobs(model, state, names)?;
    compare_schedules(model, state, names)
}

fn is_held(message: &Message) -> bool {
    matches!(message.place, Place::Held { .. })
}

fn compare_queue(model: &Model, state: &State, queue: &Queue, view: &QueueView<'_>) -> Result<(), String> {
    same!("its number", view.id.0, queue.number);
    same!("its attributes", *view.attributes, queue.attributes);
    same!("its tags", *view.tags, queue.tags);
    same!("its times", (view.created_ms, view.modified_ms), (queue.created_ms, queue.modified_ms));
    let own = || model.messages.iter().filter(|message| message.queue == queue.number);
    let count = |is: fn(&Place) -> bool| own().filter(|message| is(&message.place)).count() as u64;
    let counts = Counts {
        visible: count(|place| matches!(place, Place::Visible { .. })),
        delayed: count(|place| matches!(place, Place::Delayed { .. } | Place::Held { .. })),
        in_flight: count(|place| matches!(place, Place::Leased { .. })),
        oldest_sent_ms: own().filter(|message| !is_held(message)).map(|message| message.sent_ms).min(),
    };
    same!("its counts", view.counts, counts);
    let receivable = own().any(|message| model.is_ready(queue, message));
    same!("whether it is receivable", state.is_receivable(view.id), receivable);
    same!("whether it is at its address", state.queue_at(&queue.address).map(|found| found.id), Some(view.id));
    same!("whether it is under its id", state.queue(view.id).map(|found| found.address), Some(&queue.address));
    Ok(())
}

/// The lists that it is in, and has.
fn compare_lists(model: &Model, state: &State, queue: &Queue) -> Result<(), String> {
    let arn = queue.address.arn();
    let (account, region, name) = (queue.address.account, &queue.address.region, &queue.address.name);
    let prefix = &name.as_str()[..2];
    let mut after: Vec<_> = model.queues.iter().map(|other| &other.address).collect();
    after.sort();
    after.retain(|other| other.account == account && other.name > *name && other.name.as_str().starts_with(prefix));
    let listed: Vec<_> = state.queues(account, region, prefix, Some(name)).map(|view| view.address).collect();
    same!("the queues listed behind it", listed, after);
    let mut sources: Vec<_> = model.sources_of(&arn).iter().map(|source| &source.address).collect();
    sources.sort();
    let listed: Vec<_> = state.dead_letter_sources(&arn).map(|view| view.address).collect();
    same!("whose dead letters it takes", listed, sources);
    let tasks = model.tasks.iter().rev().filter(|task| task.source == arn);
    let tasks: Vec<MoveView> = tasks
        .map(|task| MoveView {
            task: task.number,
            source: task.source.clone(),
            destination: task.destination.clone(),
            max_per_s: task.max_per_s,
            to_move: task.to_move,
            moved: task.moved,
            started_ms: task.started_ms,
            cancelling: false,
            outcome: task.outcome,
        })
        .collect();
    same!("its move tasks", state.moves(&arn), tasks);
    Ok(())
}

fn compare_messages(
    model: &Model,
    state: &State,
    queue: &Queue,
    numbers: &BTreeMap<afterward_names::MessageId, usize>,
    names: &Names,
) -> Result<(), String> {
    let id = state.queue_at(&queue.address).map(|view| view.id);
    let mut seen: Vec<MessageView> = id.into_iter().flat_map(|id| state.messages(id, None)).collect();
    same!("whether they come by the time they were sent", seen.is_sorted_by_key(MessageView::cursor), true);
    seen.sort_by_key(|view| view.order);
    let mut own: Vec<&Message> = model.messages.iter().filter(|message| message.queue == queue.number).collect();
    own.sort_by_key(|message| message.rank);
    let places: Vec<_> = seen.iter().map(|view| numbers.get(&view.id.after_redrives(0)).copied()).collect();
    same!("its messages in line", places, own.iter().map(|message| Some(message.number)).collect::<Vec<_>>());
    for (view, message) in seen.iter().zip(own) {
        let of = |difference| format!("message {}: {difference}", message.number);
        compare_message(model, queue, message, view, names).map_err(of)?;
        same!("by its key", state.message(view.key), Some(view.clone()));
    }
    Ok(())
}

fn compare_message(
    model: &Model,
    queue: &Queue,
    message: &Message,
    view: &MessageView,
    names: &Names,
) -> Result<(), String> {
    let standing = match message.place {
        Place::Visible { .. } if model.is_ready(queue, message) => Standing::Ready,
        Place::Visible { .. } => Standing::BehindGroup,
        Place::Delayed { until_ms } => Standing::Delayed { until_ms },
        Place::Leased { until_ms, .. } => Standing::Leased { until_ms },
        Place::Held { .. } => Standing::Held,
    };
    same!("its standing", view.standing, standing);
    same!("its id", view.id, names.ids[message.number].after_redrives(message.redrives));
    same!("its times", (view.sent_ms, view.first_received_ms), (message.sent_ms, message.first_received_ms));
    same!("its end", view.expires_ms, model.expires_ms(message));
    same!("its batch", view.batch, message.batch);
    let counts = (message.receive_count, message.received_elsewhere);
    same!("its receives", (view.receive_count, view.received_elsewhere), counts);
    same!("where it comes from", view.source, message.source);
    same!("whether it failed", view.failure.is_some(), message.failed);
    Ok(())
}

fn compare_jobs(model: &Model, state: &State, names: &Names) -> Result<(), String> {
    for (number, id) in names.ids.iter().enumerate() {
        let told = match state.job(*id) {
            None => "unknown".to_owned(),
            Some(JobView::Present(view)) => format!("in queue {} after {}", view.queue.0, view.receive_count),
            Some(JobView::Succeeded { receive_count, finished_ms, queue, address }) => {
                check_address(state, number, queue, &address)?;
                format!("done at {finished_ms} in queue {} after {receive_count}", queue.0)
            }
            Some(JobView::Dropped { receive_count, finished_ms, queue, address, .. }) => {
                check_address(state, number, queue, &address)?;
                format!("dropped at {finished_ms} in queue {} after {receive_count}", queue.0)
            }
        };
        let present = model.message(number);
        let finished = model.finished.iter().find(|finished| finished.message == number);
        let meant = match (present, finished) {
            (Some(message), _) => format!("in queue {} after {}", message.queue, message.receive_count),
            (None, Some(finished)) => {
                let (at_ms, queue, count) = (finished.finished_ms, finished.queue, finished.receive_count);
                let end = if finished.done { "done" } else { "dropped" };
                format!("{end} at {at_ms} in queue {queue} after {count}")
            }
            (None, None) => "unknown".to_owned(),
        };
        same!(format!("job {number}"), told, meant);
    }
    Ok(())
}

/// A queue that has been deleted since is known by its address all the same.
fn check_address(state: &State, job: usize, queue: QueueId, address: &QueueAddress) -> Result<(), String> {
    if let Some(there) = state.queue(queue) {
        same!(format!("the queue of job {job}"), address, there.address);
    }
    Ok(())
}
