//! Answers as lines for people.

use serde_json::Value;

/// One line for each group, the worst first.
pub(super) fn groups(groups: &Value) -> Vec<String> {
    let mut groups: Vec<&Value> = groups.as_array().into_iter().flatten().collect();
    if groups.is_empty() {
        return vec!["There are no consumer groups.".into()];
    }
    groups.sort_by_key(|group| std::cmp::Reverse((group["failing"].as_i64(), group["behind"].as_i64())));
    let state = |group: &Value| match group["state"].as_str() {
        Some("app-away") => "its app is away",
        Some("breaker-open") => "its circuit breaker is open",
        Some(_) => "working",
        None => "not running",
    };
    let line = |group: &Value| {
        format!(
            "{:<40} {:<24} {:>8} behind {:>6} failing  {}",
            text(&group["group"]),
            text(&group["topic"]),
            group["behind"],
            group["failing"],
            state(group)
        )
    };
    groups.into_iter().map(line).collect()
}

/// One line for each app and each cron binding, and one for each job that is late.
pub(super) fn jobs(view: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for app in view["apps"].as_array().into_iter().flatten() {
        let late: Vec<&Value> = app["late"].as_array().into_iter().flatten().collect();
        let next = app["nextDue"].as_str().map_or(String::new(), |due| format!(", the next one due {due}"));
        lines.push(format!("{:<40} {:>8} jobs{next}, {} late", text(&app["app"]), app["jobs"], late.len()));
        lines.extend(late.iter().map(|job| format!("  late since {}: {}", text(&job["due"]), text(&job["name"]))));
    }
    for binding in view["cron"].as_array().into_iter().flatten() {
        let name = format!("{}/{}", text(&binding["app"]), text(&binding["binding"]));
        let due = match binding["nextDue"].as_str() {
            Some(due) => format!("due next {due}"),
            None => "not taken by its app".into(),
        };
        lines.push(format!("{name:<40} cron, {due}"));
    }
    lines
}

/// Each copy of an event, and what each group did with it.
pub(super) fn event(event: &Value) -> Vec<String> {
    let places: Vec<&Value> = event["places"].as_array().into_iter().flatten().collect();
    if places.is_empty() {
        return vec![format!(
            "The event {} is in no topic: it was never published here, or it is older than the topics are kept.",
            text(&event["id"])
        )];
    }
    let mut lines = Vec::new();
    for place in places {
        lines.push(format!(
            "{} partition {} offset {}, key {}, since {}",
            text(&place["topic"]),
            place["partition"],
            place["offset"],
            text(&place["key"]),
            text(&place["time"])
        ));
        if let Some(letter) = place.get("deadLetter") {
            let back = if place["replayed"] == true { "put back" } else { "not put back" };
            lines.push(format!(
                "  dead letter, {back}: {} gave it up after {} attempts: {}",
                text(&letter["group"]),
                letter["attempts"],
                text(&letter["reason"])
            ));
        }
        for group in place["groups"].as_array().into_iter().flatten() {
            let trouble = match group["reason"].as_str() {
                Some(reason) => format!(" after {} attempts: {reason}", group["attempts"]),
                None => String::new(),
            };
            lines.push(format!("  {:<40} {}{trouble}", text(&group["group"]), text(&group["state"])));
        }
    }
    lines
}

/// Which topics hold dead letters.
pub(super) fn topics(topics: &Value) -> Vec<String> {
    let topics: Vec<&Value> = topics.as_array().into_iter().flatten().collect();
    if topics.is_empty() {
        return vec!["There are no dead letters.".into()];
    }
    let line = |topic: &Value| {
        format!("{:<40} {:>8} not put back, {} in all", text(&topic["topic"]), topic["waiting"], topic["total"])
    };
    topics.into_iter().map(line).collect()
}

/// The dead letters of a topic, and how to put them back.
pub(super) fn letters(view: &Value) -> Vec<String> {
    let (topic, letters) = (text(&view["topic"]), view["letters"].as_array());
    let mut lines = vec![format!("{topic}: {} dead letters, {} not put back", view["total"], view["waiting"])];
    for letter in letters.into_iter().flatten() {
        let back = if letter["replayed"] == true { "  (put back)" } else { "" };
        lines.push(format!(
            "{}  {}  key {}  {} after {} attempts: {}{back}",
            text(&letter["time"]),
            text(&letter["id"]),
            text(&letter["key"]),
            text(&letter["group"]),
            letter["attempts"],
            text(&letter["reason"])
        ));
    }
    if view["waiting"].as_i64().is_some_and(|waiting| waiting > 0) {
        lines.push(format!("When the handler is mended: todo replay {topic}"));
    }
    lines
}

/// What a list's documents say of themselves.
pub(super) fn list(list: &Value) -> Vec<String> {
    let head = &list["head"];
    let tasks = |document: &Value| document["tasks"].as_array().map_or(0, Vec::len);
    let mut lines = vec![
        format!("list of {}", text(&list["user"])),
        format!("  revision {}, events up to {}, {}", head["revision"], head["sequence"], counts(&head["counts"])),
        format!("  head: {} tasks", tasks(head)),
    ];
    let pending = head["pending"].as_array().map_or(0, Vec::len);
    if pending > 0 {
        lines.push(format!("  {pending} events are written and not yet published"));
    }
    for page in list["pages"].as_array().into_iter().flatten() {
        lines.push(match &page["document"] {
            Value::Null => format!("  page {}: it is not there, though the head names it", page["page"]),
            document => {
                format!(
                    "  page {}: {} tasks, written at revision {}",
                    page["page"],
                    tasks(document),
                    document["revision"]
                )
            }
        });
    }
    lines
}

fn counts(counts: &Value) -> String {
    let counts: Vec<_> =
        counts.as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}")).collect();
    counts.join(", ")
}

/// Text without quotes; a dash for nothing.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn an_events_way_tells_where_it_failed() {
        let event = json!({"id": "7", "places": [
            {"topic": "task-events", "partition": 1, "offset": 5, "key": "u", "time": "2026-11-21T05:56:38Z",
             "groups": [{"group": "todo/recorder", "state": "failing", "attempts": 3, "reason": "the app answered 500"}]},
            {"topic": "task-events-dlq", "partition": 1, "offset": 0, "key": null, "time": "2026-11-21T05:56:39Z", "groups": [],
             "replayed": false, "deadLetter": {"group": "todo/recorder", "attempts": 10, "reason": "the app answered 500"}},
        ]});
        let text = super::event(&event).join("\n");
        for part in [
            "task-events partition 1 offset 5, key u",
            "failing after 3 attempts: the app answered 500",
            "dead letter, not put back: todo/recorder gave it up after 10 attempts",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(super::event(&json!({"id": "7", "places": []}))[0].contains("in no topic"));
    }
}
