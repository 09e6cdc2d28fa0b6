//! Schedules, for those who keep them and for who runs them.
//!
//! A schedule is kept like a message: the state knows its name, when it is next due and where its definition lies, and the
//! definition is bytes that only its writer understands. Who runs it reads what is due, works out what to send and
//! when it is due next, and says both in one [`ScheduleRun`]: it is stored whole or not at all, and only while the
//! schedule is as it was read. So each time that a schedule is due is run once, whatever falls over in between.

use crate::{
    Broker, Failure, OpenError, ScheduleRun, Unavailable,
    open::wrong_record,
    partition::{DueSchedules, Gated},
    shared::Entry,
};
use afterward_machine::{
    Command, Event, Location, Refusal, Reply, ScheduleGroupView, ScheduleId, ScheduleRead, ScheduleView, SentMessage,
    Tags,
};
use afterward_names::{AccountId, Region, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName, ScheduleName};
use afterward_record::{Beside, decode_one};
use bytes::Bytes;

/// How often a schedule's definition may move while it is looked for. Each time, compaction or a writer has to have come
/// by.
const MOVES: usize = 16;

/// A schedule and its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchedule {
    /// Which one: another one of the same name has another id.
    pub id: ScheduleId,
    /// Which of its definitions.
    pub revision: u64,
    /// Where it lives.
    pub address: ScheduleAddress,
    /// When it was made.
    pub created_ms: u64,
    /// When it was last defined.
    pub modified_ms: u64,
    /// When it is next due; `None`: never.
    pub next_ms: Option<u64>,
    /// As it was given.
    pub definition: Bytes,
}

/// A run that has its place among what is stored, but may not be stored yet; see [`Broker::begin_schedule_run`].
#[derive(Debug)]
#[must_use = "whether it was stored is behind the gate"]
pub struct ScheduleRunBegun(Gated<Result<Reply, Refusal>>);

impl ScheduleRunBegun {
    /// Waits until it is stored. Answers what became of each send.
    ///
    /// # Errors
    /// As [`Broker::run_schedule`].
    pub async fn stored(self) -> Result<Vec<SentMessage>, Failure> {
        match self.0.await?? {
            Reply::Ran(sent) => Ok(sent),
            other => Err(Unavailable::because(format!("a bug in Afterward: a run was told {other:?}")).into()),
        }
    }
}

impl StoredSchedule {
    /// What a change of it has to find unchanged.
    pub fn read(&self) -> ScheduleRead {
        ScheduleRead { revision: self.revision, next_ms: self.next_ms }
    }
}

impl Broker {
    /// Makes a schedule.
    ///
    /// # Errors
    /// `Refusal::ScheduleExists`, `Refusal::NoSuchScheduleGroup`, `Refusal::ScheduleGroupDeleting`,
    /// `Refusal::DefinitionTooLong`; see [`Failure`].
    pub async fn create_schedule(
        &self,
        schedule: ScheduleAddress,
        definition: Bytes,
        next_ms: Option<u64>,
    ) -> Result<ScheduleId, Failure> {
        let command = Command::CreateSchedule { schedule, definition_bytes: definition.len(), next_ms };
        self.define(&command, &definition).await
    }

    /// Gives a schedule another definition, and another time when it is due: only if it is still `as_read`, for when it is
    /// due is worked out from what it was.
    ///
    /// # Errors
    /// `Refusal::NoSuchSchedule`, `Refusal::StaleRun`, `Refusal::ScheduleGroupDeleting`,
    /// `Refusal::DefinitionTooLong`; see [`Failure`].
    pub async fn update_schedule(
        &self,
        schedule: ScheduleAddress,
        as_read: ScheduleRead,
        definition: Bytes,
        next_ms: Option<u64>,
    ) -> Result<ScheduleId, Failure> {
        let (definition_bytes, as_read) = (definition.len(), Some(as_read));
        let command = Command::UpdateSchedule { schedule, definition_bytes, next_ms, as_read };
        self.define(&command, &definition).await
    }

    async fn define(&self, command: &Command, definition: &[u8]) -> Result<ScheduleId, Failure> {
        if let Some(shortage) = self.shared().shortage() {
            return Err(shortage.into());
        }
        let outcome = self.shared().enter(|Entry { partition, now_ms, .. }| {
            partition.submit(now_ms, 0, command, Beside::Definition(definition))
        });
        match outcome.await?.await?? {
            Reply::Schedule(id) => Ok(id),
            other => Err(Unavailable::because(format!("a bug in Afterward: a schedule was told {other:?}")).into()),
        }
    }

    /// Deletes a schedule.
    ///
    /// # Errors
    /// `Refusal::NoSuchSchedule`; see [`Failure`].
    pub async fn delete_schedule(&self, schedule: ScheduleAddress) -> Result<(), Failure> {
        self.execute(Command::DeleteSchedule { schedule }).await.map(drop)
    }

    /// The schedule at an address.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn schedule(&self, schedule: &ScheduleAddress) -> Result<Option<StoredSchedule>, Unavailable> {
        let schedule = schedule.clone();
        match self.read(move |state| state.schedule_at(&schedule)).await? {
            Some(view) => self.with_definition(view).await,
            None => Ok(None),
        }
    }

    /// The schedules of an account and region, all or those of one `group`, whose names start with `prefix`, in the order
    /// of group and name, after `after`; at most `limit`. Fewer mean that there are no more.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn schedules(
        &self,
        account: AccountId,
        region: Region,
        group: Option<ScheduleGroupName>,
        prefix: String,
        after: Option<(ScheduleGroupName, ScheduleName)>,
        limit: usize,
    ) -> Result<Vec<StoredSchedule>, Unavailable> {
        let views = self.read(move |state| {
            let found = state.schedules(account, &region, group.as_ref(), &prefix, after.as_ref());
            found.take(limit).collect::<Vec<_>>()
        });
        self.with_definitions(views.await?).await
    }

    /// Makes a group of schedules.
    ///
    /// # Errors
    /// `Refusal::ScheduleGroupExists`, `Refusal::ScheduleGroupDeleting`, `Refusal::TooManyScheduleGroupTags`; see
    /// [`Failure`].
    pub async fn create_schedule_group(&self, group: ScheduleGroupAddress, tags: Tags) -> Result<(), Failure> {
        self.execute(Command::CreateScheduleGroup { group, tags }).await.map(drop)
    }

    /// Deletes a group and its schedules. One of many schedules is there, as being deleted, until they all are.
    ///
    /// # Errors
    /// `Refusal::NoSuchScheduleGroup`, `Refusal::DefaultScheduleGroup`; see [`Failure`].
    pub async fn delete_schedule_group(&self, group: ScheduleGroupAddress) -> Result<(), Failure> {
        self.execute(Command::DeleteScheduleGroup { group }).await.map(drop)
    }

    /// Adds tags to a group's.
    ///
    /// # Errors
    /// `Refusal::NoSuchScheduleGroup`, `Refusal::ScheduleGroupDeleting`, `Refusal::TooManyScheduleGroupTags`; see
    /// [`Failure`].
    pub async fn tag_schedule_group(&self, group: ScheduleGroupAddress, tags: Tags) -> Result<(), Failure> {
        self.execute(Command::TagScheduleGroup { group, tags }).await.map(drop)
    }

    /// Takes tags from a group's.
    ///
    /// # Errors
    /// `Refusal::NoSuchScheduleGroup`, `Refusal::ScheduleGroupDeleting`; see [`Failure`].
    pub async fn untag_schedule_group(&self, group: ScheduleGroupAddress, keys: Vec<Box<str>>) -> Result<(), Failure> {
        self.execute(Command::UntagScheduleGroup { group, keys }).await.map(drop)
    }

    /// The group at an address. The default one is always there.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn schedule_group(&self, group: &ScheduleGroupAddress) -> Result<Option<ScheduleGroupView>, Unavailable> {
        let group = group.clone();
        self.read(move |state| state.schedule_group_at(&group)).await
    }

    /// The groups of an account and region whose names start with `prefix`, in order, after `after`; at most `limit`. Fewer
    /// mean that there are no more.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn schedule_groups(
        &self,
        account: AccountId,
        region: Region,
        prefix: String,
        after: Option<ScheduleGroupName>,
        limit: usize,
    ) -> Result<Vec<ScheduleGroupView>, Unavailable> {
        self.read(move |state| state.schedule_groups(account, &region, &prefix, after.as_ref(), limit)).await
    }

    /// The schedules that are due, at most `limit` (at least one), the longest due first, and in the order of their making where
    /// they are due at the same time. Waits until there is one, and through the times in which the partition is being brought
    /// back. What is neither run nor changed is due again at once.
    /// Those whose definitions can't be read now don't keep the others waiting.
    ///
    /// # Errors
    /// [`Unavailable`] when the broker stops, its log is damaged, or none of what is due can be read.
    pub async fn due_schedules(&self, limit: usize) -> Result<Vec<StoredSchedule>, Unavailable> {
        loop {
            let asked = self.shared().enter(|Entry { partition, now_ms, may_wait, .. }| {
                may_wait.then(|| partition.due_schedules(now_ms, limit.max(1)))
            });
            // What is not answered because the partition has fallen over is asked again once it is back.
            match asked.await {
                Ok(Some(DueSchedules::Now(due))) => {
                    if let Ok(views) = due.await {
                        let latest_ms = views.iter().filter_map(|view| view.next_ms).max();
                        let mut due = self.readable(views).await?;
                        // One that was changed while it was read may be due later now.
                        due.retain(|schedule| schedule.next_ms.is_some() && schedule.next_ms <= latest_ms);
                        if !due.is_empty() {
                            return Ok(due);
                        }
                    }
                }
                Ok(Some(DueSchedules::Later(later))) => drop(later.await),
                Ok(None) => return Err(Unavailable::because("the server is stopping")),
                Err(_) => self.shared().serving().await?,
            }
        }
    }

    /// Stores a run: what it sends and what becomes of the schedule, all or nothing. Answers what became of each send.
    ///
    /// # Errors
    /// `Refusal::StaleRun`: it has changed or run since it was read. `Refusal::SendRefused`: one of the sends is refused,
    /// as `Refusal::NoSuchQueue` for one. [`Unavailable`]: perhaps stored, perhaps not; then it is stale when it is
    /// submitted again.
    pub async fn run_schedule(&self, run: ScheduleRun) -> Result<Vec<SentMessage>, Failure> {
        self.begin_schedule_run(run).await?.stored().await
    }

    /// Hands a run in. Once this has returned, whatever is handed in later comes after it, also while it is not stored yet: so
    /// runs that are to be in order need not wait for each other's flush.
    ///
    /// # Errors
    /// [`Unavailable`]: it was not handed in.
    pub async fn begin_schedule_run(&self, run: ScheduleRun) -> Result<ScheduleRunBegun, Unavailable> {
        if !run.sends.is_empty()
            && let Some(shortage) = self.shared().shortage()
        {
            return Err(shortage);
        }
        let outcome = self
            .shared()
            .enter(|Entry { partition, random, now_ms, .. }| partition.run_schedule(now_ms, || random.bits(), run));
        outcome.await.map(ScheduleRunBegun)
    }

    /// Those of the schedules that are still there, with their definitions.
    async fn with_definitions(&self, views: Vec<ScheduleView>) -> Result<Vec<StoredSchedule>, Unavailable> {
        let places: Vec<_> = views.iter().map(|view| view.location).collect();
        if let Ok(Some(records)) = self.records(&places).await {
            let read = records.iter().zip(&places).map(|(record, at)| definition(record, *at));
            if let Ok(definitions) = read.collect::<Result<Vec<_>, _>>() {
                return Ok(views.into_iter().zip(definitions).map(|(view, of)| stored(view, of)).collect());
            }
        }
        // Something has moved or can't be read: one by one.
        let mut all = Vec::with_capacity(views.len());
        for view in views {
            all.extend(self.with_definition(view).await?);
        }
        Ok(all)
    }

    /// Those of the schedules that can be read; the reason only if there is none.
    async fn readable(&self, views: Vec<ScheduleView>) -> Result<Vec<StoredSchedule>, Unavailable> {
        if let Ok(all) = self.with_definitions(views.clone()).await {
            return Ok(all);
        }
        let (mut readable, mut trouble) = (Vec::new(), None);
        for view in views {
            match self.with_definition(view).await {
                Ok(found) => readable.extend(found),
                Err(unavailable) => trouble = Some(unavailable),
            }
        }
        match trouble {
            Some(unavailable) if readable.is_empty() => Err(unavailable),
            _ => Ok(readable),
        }
    }

    /// The schedule with its definition, or as it is by then; `None` once it is gone.
    async fn with_definition(&self, mut view: ScheduleView) -> Result<Option<StoredSchedule>, Unavailable> {
        for _ in 0..MOVES {
            let at = view.location;
            let found = match self.records(&[at]).await {
                Ok(Some(records)) => records.first().map(|record| definition(record, at)).transpose(),
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            };
            if let Ok(Some(definition)) = found {
                return Ok(Some(stored(view, definition)));
            }
            let id = view.id;
            view = match (self.read(move |state| state.schedule(id)).await?, found) {
                (None, _) => return Ok(None),
                (Some(now), _) if now.location != at => now,
                (Some(_), Err(error)) => return Err(self.unreadable(error).await),
                (Some(_), Ok(_)) => return Err(self.unreadable(crate::look_up::lost(at)).await),
            };
        }
        Err(Unavailable::because("a schedule's definition kept moving while it was read; try again"))
    }
}

fn stored(view: ScheduleView, definition: Bytes) -> StoredSchedule {
    let ScheduleView { id, revision, address, created_ms, modified_ms, next_ms, location: _ } = view;
    StoredSchedule { id, revision, address, created_ms, modified_ms, next_ms, definition }
}

/// The definition in a record.
fn definition(record: &[u8], at: Location) -> Result<Bytes, OpenError> {
    let decoded = decode_one(record).map_err(|wrong| wrong_record(at.position, &wrong))?;
    match (decoded.event, decoded.content) {
        (Event::SchedulePut(_), Some(definition)) => Ok(Bytes::copy_from_slice(definition)),
        _ => Err(OpenError::Record {
            position: at.position,
            reason: format!("the record at byte {} of the batch is not a schedule", at.offset_bytes),
        }),
    }
}
