//! A store of documents, used as the service uses its own: every call reads the head anew and loads only what is asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use todo_domain::list::{
    BatchOutcome, Command, CommandError, DocumentKey, DocumentWrite, HEAD_BOUND, Outcome, PAGE_BOUND, PageNumber,
    ReadError, TaskList,
};
use todo_domain::{NewTask, Task, TaskEvent, TaskId, UserId, replay};
use uuid::Uuid;

/// The documents of one user, and the events that were published.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) documents: BTreeMap<DocumentKey, String>,
    pub(crate) events: Vec<TaskEvent>,
    /// How many pages the last call had to load.
    pub(crate) pages_read: usize,
    pub(crate) now: Timestamp,
    last_id: u64,
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            documents: BTreeMap::new(),
            events: Vec::new(),
            pages_read: 0,
            now: "2026-03-01T09:00:00Z".parse().unwrap(),
            last_id: 0,
        }
    }

    /// A store with this many plain tasks, a minute apart.
    pub(crate) fn with_tasks(count: u32) -> Self {
        let mut store = Self::new();
        for number in 0..count {
            store.tick(60_000);
            store.run(Command::create(titled(&format!("Task {number}")))).unwrap();
        }
        store
    }

    pub(crate) fn tick(&mut self, milliseconds: i64) {
        self.now += jiff::SignedDuration::from_millis(milliseconds);
    }

    pub(crate) fn user_id() -> UserId {
        UserId::new(Uuid::from_u128(7))
    }

    /// The list with no page loaded.
    pub(crate) fn list(&self) -> TaskList {
        match self.documents.get(&DocumentKey::Head) {
            Some(head) => TaskList::parse(Self::user_id(), head).unwrap(),
            None => TaskList::empty(Self::user_id()),
        }
    }

    /// Asks, and loads pages as long as they are asked for.
    pub(crate) fn ask<T>(&mut self, ask: impl Fn(&TaskList) -> Result<T, ReadError>) -> T {
        let mut list = self.list();
        self.pages_read = 0;
        loop {
            match ask(&list) {
                Err(ReadError::PagesNeeded(numbers)) => self.load(&mut list, &numbers),
                answer => return answer.unwrap(),
            }
        }
    }

    pub(crate) fn run(&mut self, command: Command) -> Result<Outcome, CommandError> {
        let mut list = self.list();
        let mut ids = self.ids();
        self.pages_read = 0;
        let outcome = loop {
            match list.apply(&command, self.now, &mut ids) {
                Err(CommandError::Read(ReadError::PagesNeeded(numbers))) => self.load(&mut list, &numbers),
                outcome => break outcome?,
            }
        };
        self.commit(&outcome.writes, &outcome.events);
        Ok(outcome)
    }

    pub(crate) fn run_all(&mut self, commands: &[Command]) -> BatchOutcome {
        let mut list = self.list();
        let mut ids = self.ids();
        let outcome = loop {
            match list.apply_all(commands, self.now, &mut ids) {
                Err(ReadError::PagesNeeded(numbers)) => self.load(&mut list, &numbers),
                outcome => break outcome.unwrap(),
            }
        };
        self.commit(&outcome.writes, &outcome.events);
        outcome
    }

    /// Makes a task and gives its id.
    pub(crate) fn create(&mut self, task: NewTask) -> TaskId {
        self.run(Command::create(task)).unwrap().task.unwrap().id
    }

    fn load(&mut self, list: &mut TaskList, numbers: &[PageNumber]) {
        assert!(!numbers.is_empty(), "pages are needed, but none is named");
        for number in numbers {
            assert!(list.page_json(*number).is_none(), "page {number} was loaded and is asked for again");
            list.load_page(*number, self.documents[&DocumentKey::Page(*number)].clone());
            self.pages_read += 1;
        }
    }

    fn commit(&mut self, writes: &[DocumentWrite], events: &[TaskEvent]) {
        for write in writes {
            match &write.json {
                Some(json) => self.documents.insert(write.key, json.clone()),
                None => self.documents.remove(&write.key),
            };
        }
        self.events.extend(events.iter().cloned());
    }

    /// Ids as UUIDv7 are: by the time, then random.
    fn ids(&mut self) -> impl FnMut() -> Uuid + use<> {
        let milliseconds = u128::try_from(self.now.as_millisecond()).unwrap();
        // Tries of a call that lacks pages use up ids too.
        self.last_id += 100_000;
        let mut last_id = self.last_id;
        move || {
            last_id += 1;
            Uuid::from_u128(milliseconds << 80 | 0x7000_8000_0000_0000_0000 | u128::from(last_id))
        }
    }

    /// Every task, in the trash or not, straight from the documents.
    pub(crate) fn tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for json in self.documents.values() {
            let document: Value = serde_json::from_str(json).unwrap();
            for task in document["tasks"].as_array().unwrap() {
                tasks.push(serde_json::from_value(task.clone()).unwrap());
            }
        }
        tasks
    }

    /// How many tasks the head has, and each page by number.
    pub(crate) fn lengths(&self) -> (usize, Vec<usize>) {
        let length = |json: &String| {
            let document: Value = serde_json::from_str(json).unwrap();
            document["tasks"].as_array().map_or(0, Vec::len)
        };
        let head = self.documents.get(&DocumentKey::Head).map_or(0, length);
        let pages = self.documents.iter().filter(|(key, _)| **key != DocumentKey::Head);
        (head, pages.map(|(_, json)| length(json)).collect())
    }

    /// Checks everything that has to hold whatever was done.
    pub(crate) fn check(&self) {
        let list = self.list();
        let tasks = self.tasks();
        let ids: BTreeSet<TaskId> = tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids.len(), tasks.len(), "a task is in two places");

        let sequences: Vec<u64> = self.events.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, (1..=list.sequence()).collect::<Vec<u64>>(), "the sequence has gaps");
        let live: BTreeMap<TaskId, Task> =
            tasks.iter().filter(|task| !task.is_trashed()).map(|task| (task.id, task.clone())).collect();
        assert_eq!(replay(&self.events), live, "replaying the events gives another list");

        assert_eq!(recount(&tasks), serde_json::to_value(list.counts()).unwrap(), "counts are wrong");
        let pages = self.documents.keys().filter(|key| **key != DocumentKey::Head).count();
        assert_eq!(list.pages().len(), pages, "pages and summaries differ");
        for summary in list.pages() {
            let document: Value = serde_json::from_str(&self.documents[&DocumentKey::Page(summary.number)]).unwrap();
            let tasks: Vec<Task> = serde_json::from_value(document["tasks"].clone()).unwrap();
            assert!((1..=PAGE_BOUND).contains(&tasks.len()), "page {} has {} tasks", summary.number, tasks.len());
            assert_eq!(document["revision"], summary.revision);
            assert_eq!(recount(&tasks), serde_json::to_value(summary.counts).unwrap());
            let live = || tasks.iter().filter(|task| !task.is_trashed());
            let range =
                |of: &dyn Fn(&Task) -> Option<Timestamp>| live().filter_map(of).min().zip(live().filter_map(of).max());
            assert_eq!(summary.ids.0, tasks.iter().map(|task| task.id).min().unwrap());
            assert_eq!(summary.ids.1, tasks.iter().map(|task| task.id).max().unwrap());
            assert_eq!(summary.created.0, tasks.iter().map(|task| task.created_at).min().unwrap());
            assert_eq!(summary.created.1, tasks.iter().map(|task| task.created_at).max().unwrap());
            assert_eq!(summary.deadlines, range(&Task::deadline));
            assert_eq!(summary.trashed_from, tasks.iter().filter_map(|task| task.deleted_at).min());
        }
        if let Some(head) = self.documents.get(&DocumentKey::Head) {
            let document: Value = serde_json::from_str(head).unwrap();
            assert!(document["tasks"].as_array().unwrap().len() <= HEAD_BOUND, "the head is too long");
        }
    }
}

fn recount(tasks: &[Task]) -> Value {
    let live = |status: &str| tasks.iter().filter(|task| !task.is_trashed() && task.status.as_str() == status).count();
    serde_json::json!({
        "pending": live("pending"),
        "inProgress": live("in-progress"),
        "completed": live("completed"),
        "trashed": tasks.iter().filter(|task| task.is_trashed()).count(),
    })
}

pub(crate) fn titled(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), ..NewTask::default() }
}
