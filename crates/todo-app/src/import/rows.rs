//! CSV, whoever wrote it: the first line tells.

use todo_domain::TimeZoneName;

use super::{MAX_RECORDS, Record, table, todoist, too_many_records};
use crate::http::problem::Problem;

pub(super) fn read(text: &str, zone: &TimeZoneName) -> Result<Vec<Record>, Problem> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header =
        reader.headers().map_err(|error| Problem::malformed(format!("The file is not CSV: {error}.")))?.clone();
    let todoist = todoist::columns(&header);
    if todoist.is_none() && !table::is_ours(&header) {
        return Err(Problem::malformed(
            "The first line of the file has neither a column `title`, nor TYPE and CONTENT as Todoist writes them.",
        ));
    }
    let mut file = todoist::File::default();
    for row in reader.records() {
        if file.records.len() > MAX_RECORDS {
            return Err(too_many_records());
        }
        match (row, &todoist) {
            (Ok(row), Some(columns)) => {
                file.take(line_of(text, row.position()), &todoist::Row { row: &row, columns }, zone);
            }
            (Ok(row), None) => file.records.push(table::read(&header, &row, line_of(text, row.position()), zone)),
            (Err(error), _) => {
                let line = line_of(text, error.position());
                file.records.push(Record { line, task: Err("is not a row of CSV".to_owned()), note: None });
            }
        }
    }
    Ok(file.records)
}

/// The line at which a row begins, counted from 1. The reader takes a row for ended at the first half of CR LF, and
/// counts the other half to the next row.
fn line_of(text: &str, position: Option<&csv::Position>) -> usize {
    let Some(position) = position else { return 0 };
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let half = text.as_bytes().get(number(position.byte())) == Some(&b'\n');
    number(position.line()) + usize::from(half)
}
