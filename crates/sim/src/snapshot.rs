//! Everything that can be seen of a state, as text: what a replay must give again.

use afterward_machine::State;
use afterward_names::{AccountId, MessageId, Region};
use std::fmt::Write;

/// The queues, their messages and where each stands, what became of these jobs, and what comes next.
pub fn snapshot(state: &State, jobs: &[MessageId]) -> String {
    let mut text = format!("at {} with {} messages\n", state.now_ms(), state.message_count());
    for queue in state.all_queues() {
        let receivable = state.is_receivable(queue.id);
        // A text has room for all that is written to it.
        let _ = writeln!(text, "{queue:?} receivable: {receivable}");
        for message in state.messages(queue.id, None) {
            let _ = writeln!(text, "  {message:?}");
        }
        for task in state.moves(&queue.address.arn()) {
            let _ = writeln!(text, "  {task:?}");
        }
    }
    let (account, region) = (AccountId::DEFAULT, Region::default());
    for schedule in state.schedules(account, &region, None, "", None) {
        let _ = writeln!(text, "{schedule:?}");
    }
    for group in state.schedule_groups(account, &region, "", None, usize::MAX) {
        let _ = writeln!(text, "{group:?}");
    }
    let due: Vec<_> = state.due_schedules().map(|schedule| schedule.id).collect();
    let _ = writeln!(text, "due: {due:?}");
    for job in jobs {
        let _ = writeln!(text, "job {job}: {:?}", state.job(*job));
    }
    let _ = writeln!(text, "next due: {:?}", state.next_due_ms());
    text
}

/// The first line in which two texts differ.
pub fn difference(before: &str, after: &str) -> Option<String> {
    let mut lines = before.lines().zip(after.lines());
    match lines.find(|(before, after)| before != after) {
        Some((before, after)) => Some(format!("{before}\nbecame\n{after}")),
        None if before != after => Some(format!("{} lines became {}", before.lines().count(), after.lines().count())),
        None => None,
    }
}
