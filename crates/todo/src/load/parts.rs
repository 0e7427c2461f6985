//! Divides a file into requests that each succeed or fail quickly.
//!
//! The lines before a part are kept as empty lines, so that the service's report names the lines of the file.

use anyhow::{Context, Result};
use serde_json::value::RawValue;

pub(super) const JSON: &str = "application/json";
pub(super) const CSV: &str = "text/csv";
pub(super) const CALENDAR: &str = "text/calendar";

/// Records of one request.
const PART_RECORDS: usize = 500;

/// The body of one request.
pub(super) struct Part {
    pub(super) body: String,
    pub(super) records: usize,
}

/// Divides a file. CSV stays whole, since a row may belong to the one above it.
pub(super) fn divide(media_type: &str, text: &str) -> Result<Vec<Part>> {
    match media_type {
        JSON => json(text),
        CALENDAR => Ok(calendar(text)),
        _ => Ok(vec![Part { body: text.to_owned(), records: text.lines().count().saturating_sub(1) }]),
    }
}

fn json(text: &str) -> Result<Vec<Part>> {
    #[derive(serde::Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        tasks: Vec<&'a RawValue>,
    }
    let items: Vec<&RawValue> = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Wrapped<'_>>(text).map(|wrapped| wrapped.tasks)
    } else {
        serde_json::from_str(text)
    }
    .context("expected an array of tasks, or an object with such an array as `tasks`")?;
    // Items are parts of the text, so the distance of their addresses is their offset.
    let offset = |item: &RawValue| (item.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let part = |items: &[&RawValue]| {
        let begin = offset(items[0]);
        let last = items[items.len() - 1];
        let end = offset(last) + last.get().len();
        Part { body: format!("{}[{}]", lines_before(text, begin), &text[begin..end]), records: items.len() }
    };
    Ok(items.chunks(PART_RECORDS).map(part).collect())
}

fn calendar(text: &str) -> Vec<Part> {
    let begins: Vec<usize> = text.match_indices("BEGIN:VTODO").map(|(offset, _)| offset).collect();
    let ends = begins.iter().skip(PART_RECORDS).step_by(PART_RECORDS).copied().chain([text.len()]);
    let starts = begins.iter().step_by(PART_RECORDS);
    let parts = starts.zip(ends).enumerate().map(|(index, (begin, end))| {
        let records = begins.len().saturating_sub(index * PART_RECORDS).min(PART_RECORDS);
        Part { body: format!("BEGIN:VCALENDAR{}{}", lines_before(text, *begin), &text[*begin..end]), records }
    });
    parts.collect()
}

/// As many line breaks as there are before an offset.
fn lines_before(text: &str, offset: usize) -> String {
    "\n".repeat(text[..offset].matches('\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_every_record_and_its_line() {
        let items: Vec<String> = (0..1_201).map(|index| format!("{{\"title\":\"{index}\"}}")).collect();
        let text = format!("[\n{}\n]", items.join(",\n"));
        let parts = divide(JSON, &text).unwrap();
        assert_eq!(parts.iter().map(|part| part.records).collect::<Vec<_>>(), [500, 500, 201]);
        let line = parts[1].body.lines().position(|line| line.contains("\"500\"")).unwrap();
        assert!(text.lines().nth(line).unwrap().contains("\"500\""));
        assert!(serde_json::from_str::<Vec<serde_json::Value>>(&parts[2].body).is_ok());
    }

    #[test]
    fn a_calendar_is_divided_between_its_todos() {
        let todos: String = (0..700).map(|index| format!("BEGIN:VTODO\r\nSUMMARY:{index}\r\nEND:VTODO\r\n")).collect();
        let parts = divide(CALENDAR, &format!("BEGIN:VCALENDAR\r\n{todos}END:VCALENDAR\r\n")).unwrap();
        assert_eq!(parts.iter().map(|part| part.records).collect::<Vec<_>>(), [500, 200]);
        assert!(parts.iter().all(|part| part.body.starts_with("BEGIN:VCALENDAR\n")));
        assert!(divide(CALENDAR, "").unwrap().is_empty());
    }
}
