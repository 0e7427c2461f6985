//! Tasks as Todoist exports a project: sections, labels in the content, subtasks by indent, notes.

use super::{Sample, task::Due};

const HEADER: &str = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE";
/// Tasks between two sections.
const SECTION: usize = 100;

pub(super) fn write(samples: &[Sample]) -> String {
    let mut text = format!("{HEADER}\r\n");
    for (index, sample) in samples.iter().enumerate() {
        if index % SECTION == 0 && index > 0 {
            row(&mut text, &["section", &format!("Section {}", index / SECTION), "", "", "", "", "", "", "", ""]);
        }
        let labels: String = sample.tags.iter().map(|tag| format!(" @{tag}")).collect();
        let priority = match sample.priority {
            "urgent" => "1",
            "high" => "2",
            "medium" => "3",
            _ => "4",
        };
        let date = match (sample.recurrence, sample.due) {
            (Some("daily"), _) => "every day".to_owned(),
            (Some("weekly"), _) => "every week".to_owned(),
            (_, Some(due)) => date(due),
            (_, None) => String::new(),
        };
        let content = format!("{}{labels}", sample.title);
        row(
            &mut text,
            &[
                "task",
                &content,
                sample.description.unwrap_or_default(),
                priority,
                "1",
                "Ada (1)",
                "",
                &date,
                "en",
                sample.time_zone,
            ],
        );
        for (title, _) in &sample.subtasks {
            row(&mut text, &["task", title, "", "4", "2", "Ada (1)", "", "", "en", sample.time_zone]);
        }
        if index % 50 == 7 {
            row(&mut text, &["note", "seen by Bob, \"fine\"", "", "", "", "Bob (2)", "", "", "", ""]);
        }
    }
    text
}

fn date(due: Due) -> String {
    due.rfc3339().trim_end_matches(":00Z").replace('T', " ")
}

fn row(text: &mut String, fields: &[&str]) {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
