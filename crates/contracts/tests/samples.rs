//! The samples of every release are read by this one: as a later release must, and as a rolling upgrade needs.

use std::fs;
use std::path::{Path, PathBuf};

use dapr::CloudEvent;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use todo_app::accounts::{Account, EmailOwner, Registered, Tries};
use todo_app::activity::ActivityIndex;
use todo_app::idempotency::Record;
use todo_app::lists::Published;
use todo_app::notifications::{
    delivery::Delivery,
    inbox::Inbox,
    push::PushSubscriptions,
    webhooks::{WebhookState, Webhooks},
};
use todo_app::numbered::Block;
use todo_app::recurring::Followed;
use todo_app::updates::{RingSlot, SessionEnded, UpdatesIndex};
use todo_app::wire;
use todo_domain::list::{PageNumber, TaskList};
use todo_domain::{AccountDeleted, DigestEvent, ReminderEvent, TaskEvent, TaskUpdates, TimeZoneName, UserId};

/// One sample of one release.
struct Sample {
    path: PathBuf,
    text: String,
}

impl Sample {
    /// The file's name up to its first dot: an operation, a topic, a document.
    fn subject(&self) -> &str {
        self.name().split('.').next().unwrap_or_default()
    }

    /// What stands between the first two dots of its name.
    fn detail(&self) -> &str {
        self.name().split('.').nth(1).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }
}

/// The samples of one kind, of every release.
fn samples(kind: &str) -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/samples");
    let mut samples = Vec::new();
    for release in fs::read_dir(root).expect("the samples are committed").flatten() {
        for file in fs::read_dir(release.path().join(kind)).expect("a release has every kind").flatten() {
            if file.path().is_file() {
                let text = fs::read_to_string(file.path()).expect("a sample is text");
                samples.push(Sample { path: file.path(), text });
            }
        }
    }
    assert!(!samples.is_empty(), "there are no samples of {kind}");
    samples
}

/// The document's operation of an id.
fn operation<'a>(document: &'a Value, id: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object().into_iter().flat_map(Map::values);
    paths.flat_map(|path| path.as_object().into_iter().flat_map(Map::values)).find(|found| found["operationId"] == id)
}

/// Follows one reference.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("references lead somewhere"),
        None => value,
    }
}

/// Refuses a sample that a schema of the document does not accept.
fn assert_accepted(document: &Value, schema: &Value, sample: &Sample) {
    let schema = json!({ "allOf": [schema], "components": document["components"] });
    let validator =
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{}: {error}", sample.path.display()));
    let errors: Vec<String> = validator.iter_errors(&sample.json()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{}: {errors:?}", sample.path.display());
}

#[test]
fn the_schemas_accept_every_request() {
    let document = contracts::openapi::document();
    for sample in samples("requests") {
        let operation = operation(&document, sample.subject()).unwrap_or_else(|| panic!("{} is gone", sample.name()));
        assert_accepted(&document, &operation["requestBody"]["content"]["application/json"]["schema"], &sample);
    }
}

#[test]
fn the_schemas_accept_every_answer() {
    let document = contracts::openapi::document();
    for sample in samples("answers") {
        let operation = operation(&document, sample.subject()).unwrap_or_else(|| panic!("{} is gone", sample.name()));
        let answer = resolved(&document, &operation["responses"][sample.detail()]);
        assert_accepted(&document, &answer["content"]["application/json"]["schema"], &sample);
    }
    for sample in samples("answers/problems") {
        assert_accepted(&document, &json!({ "$ref": "#/components/schemas/Problem" }), &sample);
    }
}

#[test]
fn every_operation_that_answers_json_has_a_sample() {
    let names: Vec<String> = samples("answers").iter().map(|sample| sample.name().to_owned()).collect();
    let document = contracts::openapi::document();
    for operation in contracts::openapi::operations() {
        let described = &document["paths"][operation.path][operation.method.as_str().to_ascii_lowercase()];
        let is_alias = operation.id.contains("_at_") || operation.id.contains("_by_");
        for (status, answer) in described["responses"].as_object().into_iter().flatten() {
            let is_json = answer["content"]["application/json"]["schema"]["$ref"].is_string();
            let name = format!("{}.{status}.json", operation.id);
            assert!(is_alias || !is_json || names.contains(&name), "contracts/samples has no {name}");
        }
    }
}

#[test]
fn the_readers_take_every_task_that_is_sent() {
    let (zone, now) = (TimeZoneName::utc(), "2026-03-01T09:00:00Z".parse().expect("an instant"));
    for sample in samples("requests") {
        match sample.subject() {
            "create_task" => drop(wire::new_task(&sample.json(), &zone, now).expect("a sample is valid")),
            "update_task" => drop(wire::task_change(&sample.json(), &zone).expect("a sample is valid")),
            _ => {}
        }
    }
}

#[test]
fn the_readers_and_the_schemas_take_every_event() {
    for sample in samples("events") {
        read_event(&sample);
        let schemas = contracts::files();
        let schema = schemas.get(&format!("events/{}.json", sample.subject())).expect("a topic has a schema");
        let schema = serde_json::from_str(schema).expect("a schema is JSON");
        let data = &sample.json::<Value>()["data"];
        if let Err(error) = jsonschema::validate(&schema, data) {
            panic!("{}: {error}", sample.path.display());
        }
    }
}

#[test]
fn the_readers_take_every_document() {
    samples("documents").iter().for_each(read_document);
}

/// A release must not fail on what the next one adds, while both are live or after going back.
#[test]
fn the_readers_take_what_a_newer_release_adds() {
    let newer = |sample: Sample| Sample { text: with_additions(sample.json()).to_string(), ..sample };
    samples("events").into_iter().map(newer).for_each(|sample| read_event(&sample));
    samples("documents").into_iter().map(newer).for_each(|sample| read_document(&sample));
}

/// A field more in every object.
fn with_additions(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let fields = object.into_iter().map(|(name, value)| (name, with_additions(value)));
            fields.chain([("addedLater".to_owned(), json!({ "by": "a newer release" }))]).collect()
        }
        Value::Array(items) => items.into_iter().map(with_additions).collect(),
        other => other,
    }
}

fn read_event(sample: &Sample) {
    match sample.subject() {
        "task-events" if sample.path.ends_with("task-events.accountDeleted.json") => {
            drop(sample.json::<CloudEvent<AccountDeleted>>());
        }
        "task-events" => drop(sample.json::<CloudEvent<TaskEvent>>()),
        "reminders" if sample.detail() == "digest" => drop(sample.json::<CloudEvent<DigestEvent>>()),
        "reminders" => drop(sample.json::<CloudEvent<ReminderEvent>>()),
        "deliveries" => drop(sample.json::<CloudEvent<Delivery>>()),
        "task-updates" if sample.detail() == "sessionEnded" => drop(sample.json::<CloudEvent<SessionEnded>>()),
        "task-updates" => assert!(!sample.json::<CloudEvent<TaskUpdates>>().data.updates.is_empty()),
        other => panic!("nothing reads events of `{other}`"),
    }
}

fn read_document(sample: &Sample) {
    match sample.subject() {
        "head" => assert!(list(sample).tasks().is_ok_and(|tasks| !tasks.is_empty())),
        "head-closed" => assert!(list(sample).is_closed()),
        "head-with-pages" => {
            let page = sample.path.with_file_name("page.json");
            let mut list = list(sample);
            list.load_page(PageNumber(1), fs::read_to_string(page).expect("a head with pages has one"));
            assert!(list.tasks().is_ok_and(|tasks| tasks.len() == list.counts().live() as usize));
        }
        "page" => {
            let head = fs::read_to_string(sample.path.with_file_name("head-with-pages.json"));
            let head = Sample { path: sample.path.clone(), text: head.expect("a page has a head") };
            let mut list = list(&head);
            list.load_page(PageNumber(1), sample.text.clone());
            assert!(list.tasks().is_ok(), "{}", sample.path.display());
        }
        "account" => drop(sample.json::<Account>()),
        "account-email" => drop(sample.json::<EmailOwner>()),
        "sign-in-failures" | "sign-ups" => drop(sample.json::<Tries>()),
        "published" => assert_eq!(sample.json::<Published>().through, 7),
        "users" => drop(sample.json::<Registered>()),
        "followed" => drop(sample.json::<Followed>()),
        "inbox" | "inbox-closed" => drop(sample.json::<Inbox>()),
        "webhooks" | "webhooks-closed" => drop(sample.json::<Webhooks>()),
        "webhook-state" => drop(sample.json::<WebhookState>()),
        "push-subscriptions" | "push-subscriptions-closed" => drop(sample.json::<PushSubscriptions>()),
        "idempotency" => drop(sample.json::<Record>()),
        "activity" => assert_eq!(sample.json::<ActivityIndex>().last, 2),
        "activity-block" => assert_eq!(sample.json::<Block>().entries.len(), 2),
        "updates" => assert_eq!(sample.json::<UpdatesIndex>().last, 2),
        "updates-slot" => assert_eq!(sample.json::<RingSlot>().block.entries.len(), 2),
        other => panic!("nothing reads the document `{other}`"),
    }
}

fn list(sample: &Sample) -> TaskList {
    let user =
        UserId::parse(sample.json::<Value>()["userId"].as_str().unwrap_or_default()).expect("a head names its user");
    TaskList::parse(user, &sample.text).unwrap_or_else(|error| panic!("{}: {error}", sample.path.display()))
}
