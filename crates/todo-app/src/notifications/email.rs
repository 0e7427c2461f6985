//! Notifications as mail: a subject and a page of HTML, as Dapr's binding `bindings.smtp` sends it.

use jiff::tz::TimeZone;
use todo_domain::DueDate;

use super::inbox::{Entry, entry_kind};

/// The most characters of a subject.
const MAX_SUBJECT: usize = 150;

/// One line, without anything that could begin another header.
pub(super) fn subject(entry: &Entry) -> String {
    let words = if entry.kind == entry_kind::REMINDER { "Reminder: " } else { "" };
    let line: String = entry.title.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    let line = format!("{words}{}", line.split_whitespace().collect::<Vec<_>>().join(" "));
    line.chars().take(MAX_SUBJECT).collect()
}

/// The page. Whatever its user wrote is text in it.
pub(super) fn body(entry: &Entry, zone: &TimeZone, zone_name: &str) -> String {
    let mut page = format!("<p><strong>{}</strong></p>", escaped(&entry.title));
    match entry.due_date {
        Some(DueDate::At(at)) => {
            // `2026-03-31T16:00:00`, and perhaps more digits: to the minute.
            let local = zone.to_datetime(at).to_string().replace('T', " ");
            let local: String = local.chars().take(16).collect();
            page.push_str(&format!("<p>Due {local} ({})</p>", escaped(zone_name)));
        }
        Some(DueDate::On(day)) => page.push_str(&format!("<p>Due {day}</p>")),
        None => {}
    }
    if let Some(text) = &entry.text {
        let lines: Vec<String> = text.lines().map(escaped).collect();
        page.push_str(&format!("<p>{}</p>", lines.join("<br>")));
    }
    page.push_str("<p>You get this mail because your profile asks for it.</p>");
    page
}

/// Whether the mail binding takes this for one address: it splits at semicolons, and some servers at commas.
pub(super) fn is_one_address(address: &str) -> bool {
    let is_clean = |one: char| !(one.is_control() || one.is_whitespace() || ";,<>\"".contains(one));
    address.matches('@').count() == 1 && address.chars().all(is_clean)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            one if one.is_control() => escaped.push(' '),
            one => escaped.push(one),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reminder(title: &str) -> Entry {
        let at = "2026-03-31T14:00:00Z".parse().unwrap();
        let mut entry = Entry::new(uuid::Uuid::nil(), entry_kind::REMINDER, title.to_owned(), at);
        entry.due_date = Some(DueDate::At(at));
        entry
    }

    #[test]
    fn a_subject_is_one_line_and_begins_no_other_header() {
        let subject = subject(&reminder("Pay\r\nBcc: all@example.com\u{0}\u{85} rent"));
        assert_eq!(subject, "Reminder: Pay Bcc: all@example.com rent");
        assert!(super::subject(&reminder(&"x".repeat(255))).len() <= MAX_SUBJECT);
    }

    #[test]
    fn what_a_user_wrote_is_text() {
        let mut entry = reminder("<img src=x onerror=\"alert('1')\"> & more");
        entry.text = Some("one <b>\ntwo".to_owned());
        let page = body(&entry, &TimeZone::fixed(jiff::tz::offset(2)), "Europe/Berlin");
        assert!(page.contains("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more"), "{page}");
        assert!(page.contains("<p>Due 2026-03-31 16:00 (Europe/Berlin)</p><p>one &lt;b&gt;<br>two</p>"), "{page}");
    }

    #[test]
    fn mail_goes_to_one_address() {
        assert!(is_one_address("ada@example.com"));
        for address in ["a@b.c;d@e.f", "a;b@c.d", "a,b@c.d", "a@b.c\r\nBcc:d@e.f", "Ada <a@b.c>", "ada", ""] {
            assert!(!is_one_address(address), "{address}");
        }
    }
}
