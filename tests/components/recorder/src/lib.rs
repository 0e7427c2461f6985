//! Records every event that it is given, in the order in which it comes, and answers with what it has seen of a user.
//!
//! It is an event handler as the application's own are: nothing in memory, all in the store, idempotent by event id.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use dapr::{CloudEvent, StateItem};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::failure::Failure;
use todo_app::http::{Answer, body, empty, json, router::Route};
use todo_app::spin::{Call, SpinTransport, only_the_sidecar, serve};

type App = todo_app::App<SpinTransport>;

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

#[derive(Debug, Clone, Copy)]
enum Operation {
    RecordEvent,
    ListEvents,
}

const ROUTES: &[Route<Operation>] = &[
    Route::new(Method::POST, "/recorder/task-events", Operation::RecordEvent),
    Route::new(Method::GET, "/recorder/{user}", Operation::ListEvents),
];

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::RecordEvent => {
            only_the_sidecar(&call.request)?;
            let event: CloudEvent<Seen> = serde_json::from_value(body::json_value(&call.request)?)
                .map_err(|error| todo_app::http::problem::Problem::malformed(error.to_string()))?;
            record(&app, event.data).await?;
            Ok(empty(StatusCode::OK))
        }
        Operation::ListEvents => Ok(json(StatusCode::OK, &seen(&app, &call.path[0]).await?.0)),
    }
}

/// Writers meet only when the sidecar breaks its order; then one of them fails and its event comes again.
async fn record(app: &App, mut event: Seen) -> Result<(), Failure> {
    let user = event.user_id.clone();
    let (mut events, etag) = seen(app, &user).await?;
    match events.iter_mut().find(|known| known.event_id == event.event_id) {
        Some(known) => known.deliveries += 1,
        None => {
            event.deliveries = 1;
            events.push(event);
        }
    }
    let item = StateItem::new(key(&user), &events)
        .map_err(|source| Failure::Corrupt { subject: "events".into(), source: source.into() })?;
    let item = if etag.is_empty() { item.first_write() } else { item.with_etag(etag) };
    Ok(app.dapr.save(&app.settings.state_store, &item).await?)
}

async fn seen(app: &App, user: &str) -> Result<(Vec<Seen>, String), Failure> {
    match app.dapr.get(&app.settings.state_store, &key(user)).await? {
        None => Ok((Vec::new(), String::new())),
        Some(found) => {
            let events = serde_json::from_slice(&found.value)
                .map_err(|source| Failure::Corrupt { subject: "events".into(), source: source.into() })?;
            Ok((events, found.etag))
        }
    }
}

fn key(user: &str) -> String {
    format!("recorder/{user}")
}
