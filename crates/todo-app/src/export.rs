//! Tasks for other programs: everything as JSON, a table as CSV, a calendar as iCalendar, and the calendar feed.
//!
//! What is written here is read by [`crate::import`] again.

mod calendar;
mod table;

use ::http::{HeaderValue, StatusCode, header};
use dapr::Transport;
use jiff::Timestamp;
use serde::Serialize;
use todo_domain::Task;

use crate::{
    App,
    access::{FeedSecret, User},
    accounts::{Account, ApiTokenBody, Profile, SessionBody},
    http::{Answer, Response, json, problem::Problem},
    wire::{ExportFormat, FeedKind, TaskBody},
};

/// Everything that the service keeps of a user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Export"))]
pub struct ExportBody<'a> {
    /// The version of this form.
    pub version: u32,
    /// When it was made.
    pub exported_at: Timestamp,
    /// The account; absent when an API token asks, which does not open it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountBody>,
    /// The tasks, the oldest first.
    pub tasks: Vec<TaskBody<'a>>,
    /// What is in the trash.
    pub trash: Vec<TaskBody<'a>>,
}

/// An account, as its user may take it along: all but secrets.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Account"))]
pub struct AccountBody {
    /// Who.
    #[serde(flatten)]
    pub profile: Profile,
    /// Where the user is signed in.
    pub sessions: Vec<SessionBody>,
    /// What programs open the API with.
    pub api_tokens: Vec<ApiTokenBody>,
    /// Whether there is a calendar feed.
    pub calendar_feed: bool,
}

impl From<&Account> for AccountBody {
    fn from(account: &Account) -> Self {
        Self {
            profile: account.profile(),
            sessions: account.sessions.iter().map(|session| session.body()).collect(),
            api_tokens: account.api_tokens.iter().map(|token| token.body()).collect(),
            calendar_feed: account.feed_hash.is_some(),
        }
    }
}

/// The version of [`ExportBody`] that this release writes.
pub const EXPORT_VERSION: u32 = 1;

impl<T: Transport> App<T> {
    /// A user's tasks in a format, as a file to keep. JSON has the account too, where it is open to who asks.
    ///
    /// # Errors
    /// 503 when the store is away.
    pub async fn export(&self, user: &User, account: Option<&Account>, format: ExportFormat) -> Answer {
        let (trash, tasks): (Vec<Task>, Vec<Task>) =
            self.read_list(user.id, |list| list.every_task()).await?.into_iter().partition(Task::is_trashed);
        let mut response = match format {
            ExportFormat::Json => json(
                StatusCode::OK,
                &ExportBody {
                    version: EXPORT_VERSION,
                    exported_at: self.now,
                    account: account.map(AccountBody::from),
                    tasks: TaskBody::all(&tasks, self.now),
                    trash: TaskBody::all(&trash, self.now),
                },
            ),
            ExportFormat::Csv => text("text/csv; charset=utf-8; header=present", table::write(&tasks)),
            ExportFormat::Ics => text(CALENDAR, calendar::todos(&tasks, self.now)),
        };
        let name = format!("attachment; filename=\"todo-{}.{}\"", day(self.now), format.as_str());
        let name = HeaderValue::from_str(&name).expect("a date and a format are visible ASCII");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        Ok(response)
    }

    /// The calendar of who holds a feed's secret: the open tasks that have a due date.
    ///
    /// # Errors
    /// 404 for a secret that opens no feed.
    pub async fn calendar_feed(&self, secret: &str, kind: FeedKind) -> Answer {
        let unknown = || Problem::not_found("There is no such calendar.");
        let secret = FeedSecret::parse(secret).ok_or_else(unknown)?;
        let user = self.user_of_feed(&secret).await?.ok_or_else(unknown)?;
        let mut tasks = self.read_list(user.id, |list| list.tasks()).await?;
        tasks.retain(|task| task.due_date.is_some() && task.completed_at.is_none());
        let calendar = match kind {
            FeedKind::Events => calendar::events(&tasks, self.now),
            FeedKind::Todos => calendar::todos(&tasks, self.now),
        };
        Ok(text(CALENDAR, calendar))
    }
}

const CALENDAR: &str = "text/calendar; charset=utf-8";

fn text(media_type: &'static str, text: String) -> Response {
    let mut response = Response::new(text.into_bytes());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The day of an instant in UTC, as RFC 3339 writes it.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take("2026-03-01".len()).collect()
}

#[cfg(test)]
mod tests {
    use todo_domain::list::{Command, TaskList};
    use todo_domain::{NewSubtask, NewTask, Priority, Recurrence, Status, TimeZoneName, UserId};

    use super::*;
    use crate::import::{Format, read};

    fn tasks() -> Vec<Task> {
        let now: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut list = TaskList::empty(UserId::new(crate::fresh_id()));
        let berlin = TimeZoneName::parse("Europe/Berlin").unwrap();
        let step = |title: &str, done| NewSubtask { id: None, title: title.into(), done };
        let rent = NewTask {
            title: "=Pay; rent, \"now\"\\".into(),
            description: Some("first\nsecond, \u{fc}ber\n".into()),
            status: Status::InProgress,
            priority: Priority::Urgent,
            tags: vec!["home".into(), "a,b\\".into()],
            due_date: Some(todo_domain::DueDate::parse("2026-03-31T07:00:00Z").unwrap()),
            time_zone: berlin.clone(),
            recurrence: Recurrence::parse("FREQ=MONTHLY;BYDAY=-1TU").unwrap(),
            reminders: vec![10, 1440],
            subtasks: vec![step("ask; first", true), step("pay", false)],
            series: None,
        };
        let plain = NewTask { title: "x".repeat(255), status: Status::Completed, ..NewTask::default() };
        let day = NewTask {
            title: "Day".into(),
            due_date: Some(todo_domain::DueDate::parse("2026-03-31").unwrap()),
            time_zone: berlin,
            recurrence: Recurrence::parse("weekly").unwrap(),
            ..NewTask::default()
        };
        for task in [rent, plain, day] {
            list.apply(&Command::create(task), now, &mut crate::fresh_id).unwrap();
        }
        list.every_task().unwrap()
    }

    /// What an import has to bring back of a task.
    fn essence(task: &NewTask) -> String {
        let steps: Vec<_> = task.subtasks.iter().map(|step| (&step.title, step.done)).collect();
        format!(
            "{:?}",
            (
                (&task.title, task.description.as_deref().map(str::trim), task.status, task.priority, &task.tags),
                (task.due_date, task.recurrence.is_some(), &task.reminders, steps),
            )
        )
    }

    #[test]
    fn what_is_exported_is_imported_as_it_was() {
        let tasks = tasks();
        let now = "2026-03-02T09:00:00Z".parse().unwrap();
        let json = serde_json::to_string(&TaskBody::all(&tasks, now)).unwrap();
        let files = [
            (Format::Json, json),
            (Format::Csv, table::write(&tasks)),
            (Format::Calendar, calendar::todos(&tasks, now)),
        ];
        let json_essence: Vec<String> = read(Format::Json, files[0].1.as_bytes(), &TimeZoneName::utc())
            .unwrap()
            .iter()
            .map(|record| essence(record.task.as_ref().unwrap()))
            .collect();
        for (format, file) in &files {
            let records = read(*format, file.as_bytes(), &TimeZoneName::utc()).unwrap();
            let found: Vec<String> = records.iter().map(|record| essence(record.task.as_ref().unwrap())).collect();
            assert_eq!(found, json_essence, "{format:?}\n{file}");
        }
    }

    #[test]
    fn a_calendar_tells_the_zone_of_what_comes_back() {
        let text = calendar::events(&tasks(), "2026-03-02T09:00:00Z".parse().unwrap()).replace("\r\n ", "");
        assert!(text.contains("DTSTART;TZID=Europe/Berlin:20260331T090000\r\n"), "{text}");
        assert!(text.contains(
            "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST"
        ));
        assert!(text.contains("DTSTART;VALUE=DATE:20260331\r\nRRULE:FREQ=WEEKLY\r\n"));
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 2);
    }
}
