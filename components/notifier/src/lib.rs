//! What becomes of events: entries of inboxes, and deliveries to receivers outside.
//!
//! It is the one component that may call hosts that users choose.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use serde::Deserialize;
use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::events::{self, EventError, Taken};
use todo_app::handlers::notifier::{Operation, ROUTES};
use todo_app::http::Answer;
use todo_app::notifications::delivery::{Delivery, MESSAGE_TYPE};
use todo_app::spin::{Call, Outside, SpinTransport, channels, only_the_sidecar, serve};
use todo_domain::event::FarewellType;
use todo_domain::{DigestEvent, EventType, ReminderEvent, UserId};

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    only_the_sidecar(&call.request)?;
    match call.operation {
        Operation::TaskEvents => task_events(&app, &call).await,
        Operation::Reminders => reminders(&app, &call).await,
        Operation::Deliveries => deliveries(&app, &call).await,
    }
}

/// What of a task event's data tells how to read the rest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    event_type: String,
    user_id: UserId,
}

/// Reads only what it needs, so that it carries no rules of tasks.
async fn task_events(app: &App, call: &Call<Operation>) -> Answer {
    events::take(&call.request, async |event| {
        let data = event.data.get();
        let Kind { event_type, user_id } = events::read(data)?;
        if event_type == FarewellType::ACCOUNT_DELETED {
            app.forget_receivers(user_id).await?;
        } else if EventType::ALL.iter().any(|known| known.as_str() == event_type) {
            app.tell_task_event(&events::read(data)?).await?;
        } else {
            return Ok(Taken::Ignored);
        }
        Ok(Taken::Done)
    })
    .await
}

async fn reminders(app: &App, call: &Call<Operation>) -> Answer {
    events::take(&call.request, async |event| {
        match event.event_type.as_str() {
            ReminderEvent::TYPE => app.tell_reminder(&events::read::<ReminderEvent>(event.data.get())?).await?,
            DigestEvent::TYPE => app.tell_digest(&events::read::<DigestEvent>(event.data.get())?).await?,
            _ => return Ok(Taken::Ignored),
        }
        Ok(Taken::Done)
    })
    .await
}

async fn deliveries(app: &App, call: &Call<Operation>) -> Answer {
    let channels = channels()?;
    events::take(&call.request, async |event| {
        if event.event_type != MESSAGE_TYPE {
            return Ok(Taken::Ignored);
        }
        let delivery: Delivery = events::read(event.data.get())?;
        app.deliver(&delivery, &channels, &Outside).await.map_err(EventError::from)
    })
    .await
}
