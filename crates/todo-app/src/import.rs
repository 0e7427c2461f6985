//! Tasks from other programs: JSON, CSV (ours and Todoist's) and iCalendar to new tasks, and one commit for a whole file.
//!
//! A record that cannot be taken is skipped with its line and the reason; the others are not held up by it.

mod calendar;
mod json;
mod rows;
mod table;
mod todoist;

use ::http::StatusCode;
use dapr::Transport;
use serde::Serialize;
use todo_domain::{NewTask, TimeZoneName, list::Command};

use crate::{
    App,
    access::Writer,
    failure::Failure,
    http::{Answer, Request, body, json, problem::Problem},
    lists::Results,
};

/// The bytes that an import may have.
pub const MAX_IMPORT_BYTES: usize = 8 * 1024 * 1024;
/// The most records of one file that are looked at: more than a list can hold.
const MAX_RECORDS: usize = 20_000;

fn too_many_records() -> Problem {
    Problem::malformed(format!("The file has more than {MAX_RECORDS} records: divide it."))
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An array of tasks as the API answers them, or an object with such an array as `tasks`.
    Json,
    /// Our own table, any other with a column `title`, or Todoist's export.
    Csv,
    /// iCalendar with VTODOs.
    Calendar,
}

impl Format {
    const ACCEPTED: &str = "application/json, text/csv, text/calendar";

    /// The format that a request's media type names; JSON when it names none.
    ///
    /// # Errors
    /// 415 for any other media type.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        match body::media_type(request).as_str() {
            "" | "application/json" => Ok(Self::Json),
            "text/csv" => Ok(Self::Csv),
            "text/calendar" => Ok(Self::Calendar),
            other => Err(body::unsupported(other, Self::ACCEPTED)),
        }
    }
}

/// One task of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// The task, or why it cannot be taken.
    pub task: Result<NewTask, String>,
    /// What of it was not understood though the task was.
    pub note: Option<String>,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ImportReport"))]
pub struct Report {
    /// Tasks that were made.
    pub created: usize,
    /// Records that were not taken.
    pub skipped: usize,
    /// Why, and what of the others was not understood, in the order of the file.
    pub errors: Vec<LineError>,
}

/// What is wrong in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ImportError"))]
pub struct LineError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a file. Times without a zone are the user's.
///
/// # Errors
/// 400 when the file as a whole cannot be read.
pub fn read(format: Format, bytes: &[u8], zone: &TimeZoneName) -> Result<Vec<Record>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem::malformed(format!("The file is not UTF-8: line {line} has a byte that is not part of a character."))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let records = match format {
        Format::Json => json::read(text, zone)?,
        Format::Csv => rows::read(text, zone)?,
        Format::Calendar => calendar::read(text, zone)?,
    };
    if records.len() > MAX_RECORDS {
        return Err(too_many_records());
    }
    Ok(records)
}

impl<T: Transport> App<T> {
    /// Makes every task of a file that can be made, all in one commit, and answers with the report.
    ///
    /// # Errors
    /// As [`App::change_list`]; then no task was made.
    pub async fn import(&self, writer: &Writer, records: Vec<Record>) -> Answer {
        let mut read = Report::default();
        let (mut lines, mut commands) = (Vec::new(), Vec::new());
        for Record { line, task, note } in records {
            match task {
                Ok(task) => {
                    lines.push(line);
                    commands.push(Command::create(task));
                }
                Err(message) => read.skip(line, message),
            }
            read.errors.extend(note.map(|message| LineError { line, message }));
        }
        let report = |results: Results| {
            let mut report = read.clone();
            for (line, result) in lines.iter().zip(results) {
                match result {
                    Ok(_) => report.created += 1,
                    Err(error) => report.skip(*line, Problem::from(Failure::from(error)).message().to_owned()),
                }
            }
            report.errors.sort_by_key(|error| error.line);
            Ok(json(StatusCode::OK, &report))
        };
        self.change_list(writer, &commands, report).await
    }
}

impl Report {
    fn skip(&mut self, line: usize, message: String) {
        self.skipped += 1;
        self.errors.push(LineError { line, message });
    }
}
