//! The inbox, webhooks and push subscriptions over HTTP.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

mod inbox;
mod push;
mod webhooks;

use spin_sdk::http::{IncomingRequest, IntoResponse};
use spin_sdk::http_component;
use todo_app::http::{Answer, problem::Problem};
use todo_app::routes::notifications::{Operation, ROUTES};
use todo_app::spin::{Call, SpinTransport, serve};
use uuid::Uuid;

type App = todo_app::App<SpinTransport>;

#[http_component]
async fn handle(request: IncomingRequest) -> impl IntoResponse {
    serve(request, ROUTES, answer).await
}

async fn answer(app: App, call: Call<Operation>) -> Answer {
    match call.operation {
        Operation::ListNotifications => inbox::list_notifications(&app, &call.request).await,
        Operation::ReadNotification => inbox::read_notification(&app, &call).await,
        Operation::ReadNotifications => inbox::read_notifications(&app, &call.request).await,
        Operation::ListWebhooks => webhooks::list_webhooks(&app, &call.request).await,
        Operation::CreateWebhook => webhooks::create_webhook(&app, &call.request).await,
        Operation::UpdateWebhook => webhooks::update_webhook(&app, &call).await,
        Operation::DeleteWebhook => webhooks::delete_webhook(&app, &call).await,
        Operation::RotateWebhookSecret => webhooks::rotate_webhook_secret(&app, &call).await,
        Operation::TestWebhook => webhooks::test_webhook(&app, &call).await,
        Operation::GetPushKey => push::get_push_key(),
        Operation::ListPushSubscriptions => push::list_push_subscriptions(&app, &call.request).await,
        Operation::CreatePushSubscription => push::create_push_subscription(&app, &call.request).await,
        Operation::DeletePushSubscription => push::delete_push_subscription(&app, &call).await,
    }
}

/// The id in a path; what is none names nothing that is there.
fn id(call: &Call<Operation>, what: &str) -> Result<Uuid, Problem> {
    let id = call.path.first().and_then(|text| text.parse().ok());
    id.ok_or_else(|| Problem::not_found(format!("There is no such {what}.")))
}
