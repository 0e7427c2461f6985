//! Tasks as iCalendar VTODOs, with folded lines (RFC 5545).

use super::Sample;

pub(super) fn write(samples: &[Sample]) -> String {
    let mut text = String::new();
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, "PRODID:-//todo//sample data//EN");
    for (index, sample) in samples.iter().enumerate() {
        todo(&mut text, index, sample);
    }
    line(&mut text, "END:VCALENDAR");
    text
}

fn todo(text: &mut String, index: usize, sample: &Sample) {
    line(text, "BEGIN:VTODO");
    line(text, &format!("UID:{index}@sample.invalid"));
    line(text, "DTSTAMP:20260101T000000Z");
    line(text, &format!("SUMMARY:{}", escaped(&sample.title)));
    if let Some(description) = sample.description {
        line(text, &format!("DESCRIPTION:{}", escaped(description)));
    }
    let status = match sample.status {
        "completed" => "COMPLETED",
        "in-progress" => "IN-PROCESS",
        _ => "NEEDS-ACTION",
    };
    line(text, &format!("STATUS:{status}"));
    let priority = match sample.priority {
        "urgent" => 1,
        "high" => 3,
        "medium" => 5,
        _ => 9,
    };
    line(text, &format!("PRIORITY:{priority}"));
    if !sample.tags.is_empty() {
        let tags: Vec<String> = sample.tags.iter().map(|tag| escaped(tag)).collect();
        line(text, &format!("CATEGORIES:{}", tags.join(",")));
    }
    if let Some(due) = sample.due {
        let compact = due.rfc3339().replace(['-', ':'], "");
        line(text, &if due.time.is_some() { format!("DUE:{compact}") } else { format!("DUE;VALUE=DATE:{compact}") });
        if let Some(rule) = sample.recurrence.filter(|rule| rule.starts_with("FREQ=")) {
            line(text, &format!("RRULE:{rule}"));
        }
        for lead in &sample.reminders {
            line(text, "BEGIN:VALARM");
            line(text, "ACTION:DISPLAY");
            line(text, &format!("TRIGGER:-PT{lead}M"));
            line(text, "END:VALARM");
        }
    }
    line(text, "END:VTODO");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// Writes a line, folded so that none has more than 75 bytes and no character is divided.
fn line(text: &mut String, content: &str) {
    let mut width = 0;
    for character in content.chars() {
        if width + character.len_utf8() > 75 {
            text.push_str("\r\n ");
            width = 1;
        }
        text.push(character);
        width += character.len_utf8();
    }
    text.push_str("\r\n");
}
