//! Records every event that it is given, in the order in which it comes, and answers with what it has seen of a user.
//!
//! It is an event handler as the application's own are: nothing in memory, all in the store, idempotent by event id.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use dapr::{Acknowledgement, CloudEvent, StateItem};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::failure::Failure;
use todo_app::http::{Answer, body, empty, json, router::Route};
use todo_app::spin::{Call, SpinTransport, only_the_sidecar, serve};

type App = todo_app::App<SpinTransport>;

/// What is kept for the handler that takes everything, and for the one that does not: that one fails on tasks whose title
/// begins with `poison`, and drops those that begin with `unwanted`, until it is mended.
const EVENTS: &str = "recorder";
const TAKEN: &str = "recorder-picky";
const MENDED: &str = "recorder-mended";

/// What is kept of an event.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    user_id: String,
    event_id: String,
    event_type: String,
    task_id: String,
    sequence: u64,
    /// How often it was delivered.
    #[serde(default)]
    deliveries: u32,
}

/// What is kept of an event of the topic `reminders`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reminded {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    data: serde_json::Value,
    /// When it came first.
    at: String,
}

const REMINDED: &str = "recorder-reminded";

#[derive(Debug, Clone, Copy)]
enum Operation {
    RecordEvent,
    ListEvents,
    TakePickily,
    ListTaken,
    Mend,
    RecordReminder,
    ListReminders,
}

const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/recorder/task-events", Operation::RecordEvent),
    Route::new(Method::POST, "/recorder/reminders", Operation::RecordReminder),
    Route::new(Method::GET, "/recorder/{user}", Operation::ListEvents),
    Route::new(Method::POST, "/recorder/picky/task-events", Operation::TakePickily),
    Route::new(Method::POST, "/recorder/picky/mend", Operation::Mend),
    Route::new(Method::GET, "/recorder/picky/{user}", Operation::ListTaken),
    Route::new(Method::GET, "/recorder/reminders/{user}", Operation::ListReminders),
];

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::RecordEvent => {
            only_the_sidecar(&call.request)?;
            record(&app, EVENTS, event(&call)?.0).await?;
            Ok(empty(StatusCode::OK))
        }
        Operation::TakePickily => {
            only_the_sidecar(&call.request)?;
            let (event, title) = event(&call)?;
            let poison = title.starts_with("poison") || title.starts_with("unwanted");
            if poison && !is_mended(&app).await? {
                return Ok(if title.starts_with("unwanted") {
                    json(StatusCode::OK, &Acknowledgement::dropped("the title says so".to_owned()))
                } else {
                    empty(StatusCode::INTERNAL_SERVER_ERROR)
                });
            }
            record(&app, TAKEN, event).await?;
            Ok(empty(StatusCode::OK))
        }
        Operation::Mend => {
            mend(&app).await?;
            Ok(empty(StatusCode::OK))
        }
        Operation::RecordReminder => {
            only_the_sidecar(&call.request)?;
            remember(&app, &call).await?;
            Ok(empty(StatusCode::OK))
        }
        Operation::ListReminders => Ok(json(StatusCode::OK, &seen::<Reminded>(&app, REMINDED, &call.path[0]).await?.0)),
        Operation::ListTaken => Ok(json(StatusCode::OK, &seen::<Seen>(&app, TAKEN, &call.path[0]).await?.0)),
        Operation::ListEvents => Ok(json(StatusCode::OK, &seen::<Seen>(&app, EVENTS, &call.path[0]).await?.0)),
    }
}

/// An event, and the title of its task.
fn event(call: &Call<Operation>) -> Result<(Seen, String), todo_app::http::problem::Problem> {
    let malformed = |error: serde_json::Error| todo_app::http::problem::Problem::malformed(error.to_string());
    let event: CloudEvent<serde_json::Value> =
        serde_json::from_value(body::json_value(&call.request)?).map_err(malformed)?;
    let title = event.data.pointer("/payload/task/title").and_then(|title| title.as_str()).unwrap_or_default();
    let title = title.to_owned();
    Ok((serde_json::from_value(event.data).map_err(malformed)?, title))
}

fn item<V: Serialize>(key: String, value: &V) -> Result<StateItem, Failure> {
    StateItem::new(key, value).map_err(|source| Failure::Corrupt { subject: "events".into(), source: source.into() })
}

async fn is_mended(app: &App) -> Result<bool, Failure> {
    Ok(app.dapr.get(&app.settings.state_store, MENDED).await?.is_some())
}

async fn mend(app: &App) -> Result<(), Failure> {
    Ok(app.dapr.save(&app.settings.state_store, &item(MENDED.to_owned(), &true)?).await?)
}

/// Writers meet only when the sidecar breaks its order; then one of them fails and its event comes again.
async fn record(app: &App, kind: &str, mut event: Seen) -> Result<(), Failure> {
    let user = event.user_id.clone();
    let (mut events, etag) = seen::<Seen>(app, kind, &user).await?;
    match events.iter_mut().find(|known| known.event_id == event.event_id) {
        Some(known) => known.deliveries += 1,
        None => {
            event.deliveries = 1;
            events.push(event);
        }
    }
    keep(app, key(kind, &user), &events, etag).await
}

/// Keeps a reminder or a digest, each id once.
async fn remember(app: &App, call: &Call<Operation>) -> Result<(), todo_app::http::problem::Problem> {
    let malformed = |error: serde_json::Error| todo_app::http::problem::Problem::malformed(error.to_string());
    let event: CloudEvent<serde_json::Value> =
        serde_json::from_value(body::json_value(&call.request)?).map_err(malformed)?;
    let user = event.data["userId"].as_str().unwrap_or_default().to_owned();
    let (mut known, etag) = seen::<Reminded>(app, REMINDED, &user).await?;
    if known.iter().all(|known| known.id != event.id) {
        let CloudEvent { id, event_type, data, .. } = event;
        known.push(Reminded { id, event_type, data, at: app.now.to_string() });
        keep(app, key(REMINDED, &user), &known, etag).await?;
    }
    Ok(())
}

async fn keep<V: Serialize>(app: &App, key: String, known: &V, etag: String) -> Result<(), Failure> {
    let item = item(key, known)?;
    let item = if etag.is_empty() { item.first_write() } else { item.with_etag(etag) };
    Ok(app.dapr.save(&app.settings.state_store, &item).await?)
}

async fn seen<E: DeserializeOwned>(app: &App, kind: &str, user: &str) -> Result<(Vec<E>, String), Failure> {
    match app.dapr.get(&app.settings.state_store, &key(kind, user)).await? {
        None => Ok((Vec::new(), String::new())),
        Some(found) => {
            let events = serde_json::from_slice(&found.value)
                .map_err(|source| Failure::Corrupt { subject: "events".into(), source: source.into() })?;
            Ok((events, found.etag))
        }
    }
}

fn key(kind: &str, user: &str) -> String {
    format!("{kind}/{user}")
}
