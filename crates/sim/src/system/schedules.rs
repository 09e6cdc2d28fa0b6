//! Schedules: kept, read and run.

use super::{Bug, System};
use crate::history::{CallId, SCHEDULES, ScheduleIndex, Scheduling, SeenSchedule, Sending, Tick};
use afterward_broker::partition::{DueSchedules, Gated, ScheduleRun};
use afterward_machine::{Command, NextRun, Refusal, Reply, ScheduleView, SentMessage, State};
use afterward_names::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName};
use afterward_record::{Beside, decode_one};

const NAMES: [&str; SCHEDULES] = ["hourly", "nightly", "once", "often"];

/// What is to be seen of the schedules.
pub struct Schedules {
    /// All there are.
    pub all: Vec<SeenSchedule>,
    /// Those that are due, as a runner finds them.
    pub due: Vec<ScheduleIndex>,
}

fn address(schedule: ScheduleIndex) -> Option<ScheduleAddress> {
    let (account, region, name) = (AccountId::DEFAULT, Region::default(), ScheduleGroupName::default());
    Some(ScheduleAddress { group: ScheduleGroupAddress { account, region, name }, name: NAMES[schedule].parse().ok()? })
}

fn index(view: &ScheduleView) -> Option<ScheduleIndex> {
    NAMES.iter().position(|name| view.address.name.as_str() == *name)
}

impl System {
    /// Makes, changes or deletes a schedule, by the call of this number.
    pub fn schedule(
        &mut self,
        call: CallId,
        schedule: ScheduleIndex,
        scheduling: Scheduling,
    ) -> Option<Gated<Result<Reply, Refusal>>> {
        let (schedule, definition) = (address(schedule)?, format!("defined by {call}"));
        let definition_bytes = definition.len();
        let command = match scheduling {
            Scheduling::Create(next_ms) => Command::CreateSchedule { schedule, definition_bytes, next_ms },
            Scheduling::Update(next_ms) => {
                Command::UpdateSchedule { schedule, definition_bytes, next_ms, as_read: None }
            }
            Scheduling::Delete => Command::DeleteSchedule { schedule },
        };
        self.submit(command, Beside::Definition(definition.as_bytes()))
    }

    /// Runs one.
    pub(super) fn run_schedule(
        &mut self,
        sending: &Sending,
        tick: &Tick,
    ) -> Option<Gated<Vec<Result<Reply, Refusal>>>> {
        let (command, content) = self.message(sending);
        let Command::Send(send) = self.buggy.command(command, &mut self.random) else { return None };
        let now_ms = self.now_ms();
        let (random, partition) = (&mut self.random, &mut self.owner.as_mut()?.partition);
        let mut of = tick.of;
        if self.buggy.is(Bug::RunTwice)
            && let Some(now) = partition.state().schedule(of.id)
        {
            (of.revision, of.next_ms) = (now.revision, now.next_ms);
        }
        let next = match tick.next_ms {
            _ if self.buggy.is(Bug::ForgetRun) => of.next_ms.map_or(NextRun::Never, NextRun::At),
            Some(next_ms) => NextRun::At(next_ms),
            None => NextRun::Delete,
        };
        let (id, revision, due_ms) = (of.id, of.revision, of.next_ms);
        let run = ScheduleRun { id, revision, due_ms, next, sends: vec![(send, content)] };
        let told = partition.run_schedule(now_ms, || random.bits(), run);
        Some(told.map(|told| vec![told.map(as_sent).map_err(of_the_send)]))
    }

    /// The schedules, once all that they rest on is durable.
    ///
    /// # Errors
    /// When a definition can't be read back as it was given.
    pub fn schedules(&mut self) -> Result<Option<Schedules>, String> {
        let now_ms = self.now_ms();
        let seen = self.read(now_ms, |state: &State| {
            let all: Vec<_> = state.schedules(AccountId::DEFAULT, &Region::default(), None, "", None).collect();
            let due: Vec<_> = state.due_schedules().collect();
            (all, due)
        });
        let Some((all, due)) = seen else { return Ok(None) };
        let all = all.iter().map(|view| self.seen(view)).collect::<Result<_, _>>()?;
        let due = due
            .iter()
            .map(|view| index(view).ok_or_else(|| format!("{view:?} is nobody's")))
            .collect::<Result<_, _>>()?;
        Ok(Some(Schedules { all, due }))
    }

    fn seen(&self, view: &ScheduleView) -> Result<SeenSchedule, String> {
        let record = self.fetch(view.location).map_err(|error| format!("{view:?} can't be fetched: {error}"))?;
        let decoded = decode_one(&record).map_err(|error| format!("{view:?}: {error}"))?;
        let definition = decoded.content.and_then(|content| std::str::from_utf8(content).ok());
        let definition = definition.and_then(|text| text.strip_prefix("defined by ")?.parse().ok());
        Ok(SeenSchedule {
            schedule: index(view).ok_or_else(|| format!("{view:?} is nobody's"))?,
            id: view.id,
            revision: view.revision,
            definition: definition.ok_or_else(|| format!("{view:?} has no definition"))?,
            next_ms: view.next_ms,
        })
    }

    /// Waits for a schedule to be due; `None` if one is, or nobody owns the log.
    pub fn wait_for_schedules(&mut self) -> Option<Gated<()>> {
        let now_ms = self.now_ms();
        match self.owner.as_mut()?.partition.due_schedules(now_ms, 1) {
            DueSchedules::Later(gate) => Some(gate),
            DueSchedules::Now(_) => None,
        }
    }
}

/// What a run of one send is told, as the send would be.
fn as_sent(reply: Reply) -> Reply {
    match reply {
        Reply::Ran(sent) => match sent[..] {
            [SentMessage { id, order, duplicate }] => Reply::Sent { id, order, duplicate },
            _ => Reply::Ran(sent),
        },
        other => other,
    }
}

fn of_the_send(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::SendRefused { number: 0, refusal } => *refusal,
        other => other,
    }
}
