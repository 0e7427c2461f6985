//! One commit in the making: commands change a copy of the head and the pages they touch, or leave no trace.

mod commit;
mod trash;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Map;

pub(super) use self::commit::{Done, to_json};
use super::command::{Command, CommandError, ReadError};
use super::document::{HEAD, Head, Page, PageNumber, Slot, malformed};
use super::{MAX_BYTES, MAX_TASKS, MAX_TRASH, TaskList};
use crate::event::{EVENT_SCHEMA_VERSION, EventPayload, EventType, TaskEvent};
use crate::ids::{EventId, Ids, TaskId};
use crate::task::{NewTask, Status, Task, TaskChange, to_millisecond};

/// A commit in the making.
pub(super) struct Work<'l> {
    list: &'l TaskList,
    now: Timestamp,
    head: Head,
    /// The pages opened so far.
    open: BTreeMap<PageNumber, Page>,
    /// Those of them that changed.
    dirty: BTreeSet<PageNumber>,
    /// Of all tasks, pages included.
    bytes: usize,
    changed: bool,
    events: Vec<TaskEvent>,
}

/// Where a task is.
#[derive(Clone, Copy)]
enum Place {
    Head(usize),
    Page(PageNumber, usize),
}

impl<'l> Work<'l> {
    pub(super) fn on(list: &'l TaskList, now: Timestamp) -> Self {
        Self {
            list,
            now: to_millisecond(now),
            head: list.head.clone(),
            open: BTreeMap::new(),
            dirty: BTreeSet::new(),
            bytes: list.head.tasks.iter().map(Slot::bytes).chain(list.head.pages.iter().map(|page| page.bytes)).sum(),
            changed: false,
            events: Vec::new(),
        }
    }

    /// Runs every command; pages that are missing are named all at once.
    pub(super) fn run_all(
        &mut self,
        commands: &[Command],
        ids: Ids<'_>,
    ) -> Result<Vec<Result<Option<Task>, CommandError>>, ReadError> {
        let mut needed = BTreeSet::new();
        let mut results = Vec::with_capacity(commands.len());
        for command in commands {
            match self.run(command, &mut *ids) {
                Err(CommandError::Read(ReadError::PagesNeeded(numbers))) => needed.extend(numbers),
                Err(CommandError::Read(error)) => return Err(error),
                result => results.push(result),
            }
        }
        if needed.is_empty() { Ok(results) } else { Err(ReadError::PagesNeeded(needed.into_iter().collect())) }
    }

    /// Runs one command. After an error this work is as it was, but for opened pages.
    pub(super) fn run(&mut self, command: &Command, ids: Ids<'_>) -> Result<Option<Task>, CommandError> {
        match command {
            Command::Create(draft) => {
                let id = TaskId::new(ids());
                self.create(id, draft, ids).map(Some)
            }
            Command::CreateOnce(id, draft) => match self.find(*id)? {
                Some(place) => Ok(Some(self.read(place)?)),
                None if self.head.sequence == 0 => Err(CommandError::NotFound(*id)),
                None => self.create(*id, draft, ids).map(Some),
            },
            Command::Update { id, change, expected_version } => {
                self.update(*id, change, *expected_version, ids).map(Some)
            }
            Command::Complete { id, expected_version } => {
                self.set_status(*id, Status::Completed, *expected_version, ids).map(Some)
            }
            Command::Reopen { id, expected_version } => {
                self.set_status(*id, Status::Pending, *expected_version, ids).map(Some)
            }
            Command::Delete { id, expected_version } => self.delete(*id, *expected_version, ids).map(Some),
            Command::Restore(id) => self.restore(*id, ids).map(Some),
            Command::Purge(id) => self.purge(*id).map(|()| None),
            Command::PurgeTrashedBefore(cutoff) => self.purge_before(*cutoff).map(|()| None),
        }
    }

    fn create(&mut self, id: TaskId, draft: &NewTask, ids: Ids<'_>) -> Result<Task, CommandError> {
        let task = draft.build(id, self.now, &mut *ids)?;
        self.refuse_when_full()?;
        let slot = Slot::of(&task);
        self.refuse_when_too_long(0, slot.bytes())?;
        self.bytes += slot.bytes();
        self.head.counts.add(task.status, false);
        self.head.tasks.push(slot);
        self.tell(EventType::Created, &task, &[], &task, ids);
        Ok(task)
    }

    fn update(
        &mut self,
        id: TaskId,
        change: &TaskChange,
        expected: Option<u64>,
        ids: Ids<'_>,
    ) -> Result<Task, CommandError> {
        let (place, before) = self.live(id, expected)?;
        let mut task = before.clone();
        let changed = change.apply_to(&mut task, self.now, &mut *ids)?;
        if changed.is_empty() {
            return Ok(before);
        }
        self.refuse_when_too_long(Slot::of(&before).bytes(), Slot::of(&task).bytes())?;
        let completed = before.status != Status::Completed && task.status == Status::Completed;
        let event_type = if completed { EventType::Completed } else { EventType::Updated };
        self.change(place, &before, task, event_type, &changed, ids)
    }

    fn set_status(
        &mut self,
        id: TaskId,
        status: Status,
        expected: Option<u64>,
        ids: Ids<'_>,
    ) -> Result<Task, CommandError> {
        let (place, before) = self.live(id, expected)?;
        let wanted = status == Status::Completed;
        if (before.status == Status::Completed) == wanted {
            return Ok(before);
        }
        let mut task = before.clone();
        task.set_status(status, self.now);
        if wanted {
            task.choose_next(&mut *ids);
        }
        let event_type = if wanted { EventType::Completed } else { EventType::Updated };
        self.change(place, &before, task, event_type, &["status"], ids)
    }

    fn delete(&mut self, id: TaskId, expected: Option<u64>, ids: Ids<'_>) -> Result<Task, CommandError> {
        let (_, before) = self.live(id, expected)?;
        if self.head.counts.trashed >= MAX_TRASH {
            self.drop_longest_trashed()?;
        }
        // Dropping another task may have moved this one.
        let (place, _) = self.live(id, None)?;
        let mut task = before.clone();
        task.deleted_at = Some(self.now);
        self.change(place, &before, task, EventType::Deleted, &["deletedAt"], ids)
    }

    fn restore(&mut self, id: TaskId, ids: Ids<'_>) -> Result<Task, CommandError> {
        let place = self.find(id)?.ok_or(CommandError::NotFound(id))?;
        let before = self.read(place)?;
        if !before.is_trashed() {
            return Ok(before);
        }
        self.refuse_when_full()?;
        let mut task = before.clone();
        task.deleted_at = None;
        self.change(place, &before, task, EventType::Updated, &["deletedAt"], ids)
    }

    fn refuse_when_full(&self) -> Result<(), CommandError> {
        if self.head.counts.live() < MAX_TASKS { Ok(()) } else { Err(CommandError::TooManyTasks) }
    }

    /// Refuses to make a full list longer. What is full can still be shortened, completed and deleted.
    fn refuse_when_too_long(&self, before: usize, after: usize) -> Result<(), CommandError> {
        if after <= before || self.bytes.saturating_sub(before) + after <= MAX_BYTES {
            return Ok(());
        }
        Err(CommandError::TooManyBytes)
    }

    /// A task outside the trash, of the version that is expected.
    fn live(&mut self, id: TaskId, expected: Option<u64>) -> Result<(Place, Task), CommandError> {
        let place = self.find(id)?.ok_or(CommandError::NotFound(id))?;
        let task = self.read(place)?;
        if task.is_trashed() {
            return Err(CommandError::NotFound(id));
        }
        match expected {
            Some(expected) if expected != task.version => {
                Err(CommandError::VersionMismatch { expected, current: task.version })
            }
            _ => Ok((place, task)),
        }
    }

    fn find(&mut self, id: TaskId) -> Result<Option<Place>, ReadError> {
        let index_in = |tasks: &[Slot]| tasks.iter().position(|slot| slot.id == id);
        if let Some(index) = index_in(&self.head.tasks) {
            return Ok(Some(Place::Head(index)));
        }
        let candidates: Vec<PageNumber> =
            self.head.pages.iter().filter(|page| page.may_hold(id)).map(|page| page.number).collect();
        // Pages at hand come first: what they hold needs no others.
        let (at_hand, absent): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|number| self.list.page_json(*number).is_some());
        for number in at_hand {
            if let Some(index) = index_in(&self.page(number)?.tasks) {
                return Ok(Some(Place::Page(number, index)));
            }
        }
        self.list.require(&absent)?;
        Ok(None)
    }

    fn read(&mut self, place: Place) -> Result<Task, ReadError> {
        match place {
            Place::Head(index) => Ok(self.head.tasks[index].task().map_err(in_head)?),
            Place::Page(number, index) => {
                let read = self.page(number)?.tasks[index].task();
                Ok(read.map_err(|source| malformed(&number, source))?)
            }
        }
    }

    fn change(
        &mut self,
        place: Place,
        before: &Task,
        mut task: Task,
        event_type: EventType,
        changed: &[&str],
        ids: Ids<'_>,
    ) -> Result<Task, CommandError> {
        task.version += 1;
        task.updated_at = self.now;
        let slot = Slot::of(&task);
        self.bytes = self.bytes.saturating_sub(Slot::of(before).bytes()) + slot.bytes();
        self.head.counts.remove(before.status, before.is_trashed());
        self.head.counts.add(task.status, task.is_trashed());
        match place {
            Place::Head(index) => self.head.tasks[index] = slot,
            Place::Page(number, index) => self.dirty_page(number).tasks[index] = slot,
        }
        self.tell(event_type, &task, changed, before, ids);
        Ok(task)
    }

    fn remove(&mut self, place: Place, task: &Task) {
        self.head.counts.remove(task.status, task.is_trashed());
        self.bytes = self.bytes.saturating_sub(Slot::of(task).bytes());
        match place {
            Place::Head(index) => drop(self.head.tasks.remove(index)),
            Place::Page(number, index) => drop(self.dirty_page(number).tasks.remove(index)),
        }
        self.changed = true;
    }

    /// Tells that a task is gone, with its whole list.
    pub(super) fn tell_deleted(&mut self, before: &Task, ids: Ids<'_>) {
        let mut task = before.clone();
        task.deleted_at = Some(self.now);
        task.updated_at = self.now;
        task.version += 1;
        self.tell(EventType::Deleted, &task, &["deletedAt"], before, ids);
    }

    /// The number of the last event, and the events of this work.
    pub(super) fn told(self) -> (u64, Vec<TaskEvent>) {
        (self.head.sequence, self.events)
    }

    fn tell(&mut self, event_type: EventType, task: &Task, changed: &[&str], before: &Task, ids: Ids<'_>) {
        self.changed = true;
        self.head.sequence += 1;
        self.events.push(TaskEvent {
            event_id: EventId::new(ids()),
            event_type,
            task_id: task.id,
            user_id: self.head.user_id,
            sequence: self.head.sequence,
            timestamp: self.now,
            schema_version: EVENT_SCHEMA_VERSION,
            actor: self.list.actor.clone(),
            payload: EventPayload {
                task: task.clone(),
                changed: changed.iter().map(|field| (*field).to_owned()).collect(),
                previous: if changed.is_empty() { Map::new() } else { before.values_of(changed) },
            },
        });
    }

    fn open_all(&mut self, numbers: &[PageNumber]) -> Result<(), ReadError> {
        let closed: Vec<PageNumber> =
            numbers.iter().copied().filter(|number| !self.open.contains_key(number)).collect();
        self.list.require(&closed)?;
        for number in closed {
            self.open.insert(number, self.list.open_page(number)?);
        }
        Ok(())
    }

    fn page(&mut self, number: PageNumber) -> Result<&Page, ReadError> {
        self.open_all(&[number])?;
        Ok(&self.open[&number])
    }

    fn dirty_page(&mut self, number: PageNumber) -> &mut Page {
        self.dirty.insert(number);
        let user_id = self.head.user_id;
        self.open.entry(number).or_insert_with(|| Page::empty(user_id, number))
    }
}

fn in_head(source: serde_json::Error) -> ReadError {
    malformed(&HEAD, source).into()
}
