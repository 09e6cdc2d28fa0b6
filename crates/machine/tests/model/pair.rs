//! The state machine and the model, side by side: each command goes to both, and after each of them all that can be
//! seen of the state is compared.

use crate::ops::{ADDRESSES, At, Op, Same, text};
use crate::reference::schedules::Run;
use crate::reference::{Given, Model, Told};
use crate::schedules::Read;
use crate::sight::compare;
use crate::world::World;
use afterward_machine::AttributeChanges;
use afterward_machine::{
    Batched, Command, CreateQueue, Dedup, Delivery, LeaseRef, QueueId, Receive, RedrivePolicy, Refusal, Reply,
    ScheduleId, ScheduleRead, Send, SetAttributes, StartMove, Tags,
};
use afterward_names::{AccountId, MessageId};

/// Says what differs.
macro_rules! same {
    ($what:expr, $left:expr, $right:expr) => {{
        let (left, right) = (&$left, &$right);
        if left != right {
            return Err(format!("{}: the state machine says {left:?}, the model {right:?}", $what));
        }
    }};
}
pub(crate) use same;

/// Both, and how what the model counts is called by the state machine.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) model: Model,
    pub(crate) names: Names,
    compacts: bool,
}

/// By the model's numbers: ids of messages as they were at first, and leases with the address they were given at.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) ids: Vec<MessageId>,
    leases: Vec<(LeaseRef, At)>,
    pub(crate) schedules: Vec<ScheduleId>,
    /// The revisions of schedules, by the model's numbers of their definitions.
    pub(crate) definitions: Vec<u64>,
    /// What runners have read.
    pub(crate) read: Vec<Read>,
}

impl Pair {
    /// Queues to begin with, two of them with a dead-letter queue.
    pub(crate) fn new(compacts: bool) -> Result<Pair, String> {
        let world = World::new();
        let model = Model::at_time(world.state.now_ms());
        let mut pair = Pair { world, model, names: Names::default(), compacts };
        for at in (0..ADDRESSES - 2).map(At) {
            let dead = match at.0 {
                2 => Some(At(0)),
                3 => Some(At(1)),
                _ => None,
            };
            let redrive =
                dead.map(|dead| Some(RedrivePolicy { dead_letter_queue: dead.address().arn(), max_receive_count: 2 }));
            let fifo = at.is_fifo().then_some(true);
            let changes = AttributeChanges { fifo, redrive, ..AttributeChanges::default() };
            pair.step(&Op::Create { at, changes, tags: 0, cooldown: false })?;
        }
        Ok(pair)
    }

    /// One step of both.
    pub(crate) fn step(&mut self, op: &Op) -> Result<(), String> {
        let receivable = self.receivable();
        self.world.state.take_woken();
        self.act(op)?;
        let now_ms = self.world.state.now_ms();
        self.settle(now_ms);
        compare(&self.model, &self.world.state, &self.names)?;
        self.check_woken(&receivable)
    }

    /// A replay gives the state again, and so does one of what was written forward.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.world.verify();
        if !self.compacts {
            return Ok(());
        }
        self.world.compact();
        self.world.compact();
        self.world.state = self.world.replayed();
        // Tasks that are taken up again take a breath.
        let next_move_ms = self.world.state.next_move_ms();
        same!("whether a task runs", next_move_ms.is_some(), self.model.next_move_ms().is_some());
        compare(&self.model.clone().without_pace(next_move_ms), &self.world.state, &self.names)
    }

    fn receivable(&self) -> Vec<QueueId> {
        let state = &self.world.state;
        state.all_queues().map(|queue| queue.id).filter(|queue| state.is_receivable(*queue)).collect()
    }

    /// Queues with something to receive that had nothing before are woken, and no queue without.
    fn check_woken(&mut self, before: &[QueueId]) -> Result<(), String> {
        let after = self.receivable();
        let woken = self.world.state.take_woken();
        let slept = after.iter().find(|queue| !before.contains(queue) && !woken.contains(queue));
        same!("a queue that sleeps", slept, None);
        same!("a queue that is woken for nothing", woken.iter().find(|queue| !after.contains(queue)), None);
        Ok(())
    }

    fn act(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Advance(ms) => {
                self.world.advance(*ms);
                Ok(())
            }
            Op::Delete { pick, at, undone } => self.with_lease(*pick, *at, |queue, lease| match undone {
                true => Command::Drop { queue, lease },
                false => Command::Delete { queue, lease },
            }),
            Op::Change { pick, at, timeout_ms, failure } => {
                let (timeout_ms, failure) = (*timeout_ms, *failure);
                self.with_lease(*pick, *at, |queue, lease| Command::ChangeVisibility {
                    queue,
                    lease,
                    timeout_ms,
                    failure,
                })
            }
            Op::HandBack { pick, at, timeout_ms, undelivered } => {
                let timeout_ms = *timeout_ms;
                self.with_lease(*pick, *at, |queue, lease| match undelivered {
                    true => Command::TakeBack { queue, lease, timeout_ms },
                    false => Command::HandBack { queue, lease, timeout_ms },
                })
            }
            Op::DeadLetter { pick, at, failure } => {
                let failure = *failure;
                self.with_lease(*pick, *at, |queue, lease| Command::DeadLetter { queue, lease, failure })
            }
            Op::Send { count, .. } => (0..*count).try_for_each(|_| self.run(&command(op, &self.model))),
            Op::Restart if !self.compacts => {
                self.world.state = self.world.replayed();
                Ok(())
            }
            Op::Define if self.compacts => {
                self.world.define();
                Ok(())
            }
            Op::Forward(records) if self.compacts => {
                self.world.forward(*records);
                Ok(())
            }
            Op::Restart | Op::Define | Op::Forward(_) => Ok(()),
            Op::Group { .. }
            | Op::CreateSchedule { .. }
            | Op::UpdateSchedule { .. }
            | Op::DeleteSchedule { .. }
            | Op::RunSchedule { .. } => self.schedule(op),
            _ => self.run(&command(op, &self.model)),
        }
    }

    /// A command that names a lease, one of the last that were given out.
    fn with_lease(
        &mut self,
        pick: usize,
        at: Option<At>,
        command: impl Fn(afterward_names::QueueAddress, LeaseRef) -> Command,
    ) -> Result<(), String> {
        let count = self.names.leases.len();
        let Some(number) = count.checked_sub(1 + pick % count.max(1)) else { return Ok(()) };
        let (lease, given_at) = self.names.leases[number];
        self.run(&command(at.unwrap_or(given_at).address(), lease))
    }

    /// What time and the end of batches bring by themselves.
    fn settle(&mut self, now_ms: u64) {
        self.model.advance(now_ms);
        self.model.release_held();
    }

    pub(crate) fn run(&mut self, command: &Command) -> Result<(), String> {
        let actual = self.world.run(command);
        let told = self.ask(command).unwrap_or_else(Told::Refused);
        self.settle(self.model.now_ms);
        let agrees = match (actual, told) {
            (Err(actual), Told::Refused(told)) => is_same_refusal(&actual, &told),
            (Ok(Reply::Done), Told::Done) => true,
            (Ok(Reply::Queue(actual)), Told::Queue(told)) => actual == QueueId(told),
            (Ok(Reply::MoveStarted { task }), Told::Moving(told)) => task == told,
            (Ok(Reply::MoveCancelled { moved }), Told::Cancelled { moved: told }) => moved == told,
            (Ok(Reply::Sent { id, duplicate, .. }), Told::Sent { message, duplicate: told }) => {
                self.sent(id, message, told)?;
                duplicate == told && self.names.ids.get(message) == Some(&id)
            }
            (Ok(Reply::Schedule(id)), Told::Schedule { number, definition }) => {
                return self.scheduled(id, number, definition);
            }
            (Ok(Reply::Ran(sent)), Told::Ran(told)) => {
                for (sent, (message, duplicate)) in sent.iter().zip(&told) {
                    self.sent(sent.id, *message, *duplicate)?;
                }
                let sent: Vec<_> = sent.iter().map(|sent| (Some(sent.id), sent.duplicate)).collect();
                let id = |message: &usize| self.names.ids.get(*message).copied();
                sent == told.iter().map(|(message, duplicate)| (id(message), *duplicate)).collect::<Vec<_>>()
            }
            (Ok(Reply::Received { deliveries, more: false }), Told::Received(given)) => {
                return self.received(command, &deliveries, &given);
            }
            (actual, told) => return Err(format!("{command:?}: told {actual:?}, by the model {told:?}")),
        };
        if agrees { Ok(()) } else { Err(format!("{command:?}: the answers differ")) }
    }

    /// A message that was sent has the id of its number, or gets it.
    fn sent(&mut self, id: MessageId, message: usize, duplicate: bool) -> Result<(), String> {
        if !duplicate && message == self.names.ids.len() {
            let taken = self.world.state.job(id).is_some() && self.names.ids.contains(&id);
            same!("an id that was given out before", taken, false);
            self.names.ids.push(id);
        }
        Ok(())
    }

    fn ask(&mut self, command: &Command) -> Result<Told, Refusal> {
        match command {
            Command::CreateQueue(create) => self.model.create_queue(create),
            Command::DeleteQueue { queue } => self.model.delete_queue(queue),
            Command::SetAttributes(set) => self.model.set_attributes(set),
            Command::Tag { queue, tags } => self.model.tag(queue, tags),
            Command::Untag { queue, keys } => self.model.untag(queue, keys),
            Command::Purge { queue, cooldown } => self.model.purge(queue, *cooldown),
            Command::Send(send) => self.model.send(send),
            Command::Receive(receive) => self.model.receive(receive),
            Command::Delete { queue, lease } => self.model.delete(queue, lease.queue.0, self.names.lease(lease), true),
            Command::Drop { queue, lease } => self.model.delete(queue, lease.queue.0, self.names.lease(lease), false),
            Command::ChangeVisibility { queue, lease, timeout_ms, failure } => {
                let number = self.names.lease(lease);
                self.model.change(queue, lease.queue.0, number, *timeout_ms, *failure)
            }
            Command::HandBack { queue, lease, timeout_ms } => {
                self.model.hand_back(queue, lease.queue.0, self.names.lease(lease), *timeout_ms)
            }
            Command::TakeBack { queue, lease, timeout_ms } => {
                self.model.take_back(queue, lease.queue.0, self.names.lease(lease), *timeout_ms)
            }
            Command::DeadLetter { queue, lease, failure } => {
                self.model.dead_letter(queue, lease.queue.0, self.names.lease(lease), *failure)
            }
            Command::StartMove(start) => self.model.start_move(start),
            Command::CancelMove { account, task } => self.model.cancel_move(*account, *task),
            Command::RunMoves => Ok(self.model.run_moves()),
            Command::CreateScheduleGroup { group, tags } => self.model.create_group(group, tags),
            Command::DeleteScheduleGroup { group } => self.model.delete_group(group),
            Command::TagScheduleGroup { group, tags } => self.model.tag_group(group, tags),
            Command::UntagScheduleGroup { group, keys } => self.model.untag_group(group, keys),
            Command::CreateSchedule { schedule, definition_bytes, next_ms } => {
                self.model.create_schedule(schedule, *definition_bytes, *next_ms)
            }
            Command::UpdateSchedule { schedule, definition_bytes, next_ms, as_read } => {
                let definition =
                    |read: &ScheduleRead| self.names.definitions.iter().position(|revision| *revision == read.revision);
                let as_read = as_read
                    .as_ref()
                    .map(|read| (definition(read).expect("only definitions that were read are given"), read.next_ms));
                self.model.update_schedule(schedule, *definition_bytes, *next_ms, as_read)
            }
            Command::DeleteSchedule { schedule } => self.model.delete_schedule(schedule),
            Command::RunSchedule(run) => {
                let schedule = self.names.schedules.iter().position(|id| *id == run.schedule);
                let definition = self.names.definitions.iter().position(|revision| *revision == run.revision);
                self.model.run_schedule(&Run {
                    schedule: schedule.expect("only schedules that were read are run"),
                    definition: definition.expect("only definitions that were read are run"),
                    due_ms: run.due_ms,
                    next: run.next,
                    sends: &run.sends,
                })
            }
            // Only groups of more schedules than a run has are deleted in rounds.
            Command::SweepScheduleGroups | Command::ReleaseHeld | Command::Found { .. } => Ok(Told::Done),
        }
    }

    fn received(&mut self, command: &Command, deliveries: &[Delivery], given: &[Given]) -> Result<(), String> {
        let Command::Receive(receive) = command else { return Err(format!("{command:?} receives")) };
        let at = (0..ADDRESSES).map(At).find(|at| at.address() == receive.queue).unwrap_or(At(0));
        let ids = |all: Vec<MessageId>| all;
        let got = ids(deliveries.iter().map(|delivery| delivery.id).collect());
        let meant =
            ids(given.iter().map(|given| self.names.ids[given.message].after_redrives(given.redrives)).collect());
        same!(format!("{command:?}, the messages"), got, meant);
        for (delivery, given) in deliveries.iter().zip(given) {
            let of = format!("message {} of {command:?}", given.message);
            match self.names.leases.get(given.lease) {
                Some((known, _)) => same!(of, delivery.lease, *known),
                None => {
                    let newest = self.names.leases.iter().all(|(known, _)| known.lease < delivery.lease.lease);
                    same!(format!("{of}, whether its lease is new"), newest, true);
                    self.names.leases.push((delivery.lease, at));
                }
            }
            same!(of, (delivery.sent_ms, delivery.receive_count), (given.sent_ms, given.receive_count));
            same!(of, (delivery.first_received_ms, &delivery.source), (given.first_received_ms, &given.source));
            same!(of, delivery.batch, given.batch);
        }
        Ok(())
    }
}

impl Names {
    fn lease(&self, lease: &LeaseRef) -> usize {
        self.leases.iter().position(|(known, _)| known == lease).expect("only leases that were given out are used")
    }
}

/// The reason's wording is not the model's business.
fn is_same_refusal(one: &Refusal, other: &Refusal) -> bool {
    match (one, other) {
        (Refusal::InvalidAttribute { attribute: one, .. }, Refusal::InvalidAttribute { attribute: other, .. }) => {
            one == other
        }
        (
            Refusal::SendRefused { number: one_number, refusal: one },
            Refusal::SendRefused { number: other_number, refusal: other },
        ) => one_number == other_number && is_same_refusal(one, other),
        _ => one == other,
    }
}

pub(crate) fn tags(first: usize, count: usize) -> Tags {
    (first..first + count).map(|tag| (format!("tag {tag}").into(), "x".into())).collect()
}

/// The command of a step that names no lease.
fn command(op: &Op, model: &Model) -> Command {
    match op.clone() {
        Op::Create { at, mut changes, tags: count, cooldown } => {
            if at.is_fifo() && count == 0 {
                changes.fifo = Some(true);
            }
            Command::CreateQueue(CreateQueue {
                queue: at.address(),
                attributes: changes,
                tags: tags(0, count),
                cooldown,
            })
        }
        Op::DeleteQueue { at } => Command::DeleteQueue { queue: at.address() },
        Op::Set { at, changes, expected_policy } => {
            let expected_policy = expected_policy.map(|policy| policy.map(text));
            Command::SetAttributes(SetAttributes { queue: at.address(), attributes: changes, expected_policy })
        }
        Op::Tag { at, first, count } => Command::Tag { queue: at.address(), tags: tags(first, count) },
        Op::Untag { at, first, count } => {
            Command::Untag { queue: at.address(), keys: tags(first, count).into_keys().collect() }
        }
        Op::Purge { at, cooldown } => Command::Purge { queue: at.address(), cooldown },
        Op::Send { at, group, delay_ms, same, size_bytes, job, batch, .. } => Command::Send(Send {
            queue: at.address(),
            size_bytes,
            // What is always refused is not worth half of all sends.
            delay_ms: delay_ms.filter(|_| !at.is_fifo() || size_bytes > 1024),
            group: group.map(|group| format!("g{group}").parse().unwrap()),
            dedup: dedup(same, at.is_fifo()),
            job,
            batch: batched(batch),
        }),
        Op::Receive { at, max, timeout_ms, attempt } => Command::Receive(Receive {
            queue: at.address(),
            max,
            visibility_timeout_ms: timeout_ms,
            attempt: attempt.filter(|attempt| at.is_fifo() || *attempt == 0 && max == 1).map(|attempt| [attempt; 16]),
        }),
        Op::StartMove { source, destination, max_per_s } => Command::StartMove(StartMove {
            source: source.address().arn(),
            destination: destination.map(|to| to.address().arn()),
            max_per_s,
        }),
        Op::CancelMove { pick, foreign } => {
            let account = if foreign && pick == 0 { At(ADDRESSES - 1).address().account } else { AccountId::DEFAULT };
            let newest = model.tasks.iter().map(|task| task.number).max().unwrap_or(0);
            Command::CancelMove { account, task: newest.saturating_sub(pick) }
        }
        Op::RunMoves => Command::RunMoves,
        _ => Command::Found { secret: [8; 32] },
    }
}

/// A third of the messages have to do with one of two batches.
pub(crate) fn batched(batch: u8) -> Option<Batched> {
    let id = || format!("b{}", batch % 2).parse().unwrap();
    match batch {
        0..3 => Some(Batched::In(id())),
        3..5 => Some(Batched::After(id())),
        _ => None,
    }
}

pub(crate) fn dedup(same: Same, fifo: bool) -> Option<Dedup> {
    match same {
        Same::Not => None,
        // One in twenty is a mistake on a standard queue.
        Same::Id(id) => (fifo || id == 0).then_some(Dedup::Fifo { id: Some([id; 16]), body: None }),
        Same::Body(body) => Some(Dedup::Fifo { id: None, body: Some([100 + body; 16]) }),
        Same::Key { key, fingerprint, window_ms } => {
            Some(Dedup::Idempotency { key: [key; 16], fingerprint, window_ms })
        }
    }
}
