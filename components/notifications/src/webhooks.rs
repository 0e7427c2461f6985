//! Webhooks: a session alone makes and changes them, since they tell their receivers what an API token may not read.

use http::{HeaderValue, StatusCode, header};
use todo_app::http::{Answer, Request, body, empty, json, problem::Problem};
use todo_app::idempotency::IdempotencyKey;
use todo_app::spin::{Call, channels};
use todo_app::wire::{self, WebhookTestBody};

use crate::{App, Operation, id};

pub(crate) async fn list_webhooks(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    Ok(json(StatusCode::OK, &app.webhooks(user.id).await?))
}

pub(crate) async fn create_webhook(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    let key = IdempotencyKey::of(request, user.id)?;
    let object = body::json_object(request)?;
    let new = wire::new_webhook(&object, channels()?.targets).map_err(Problem::invalid)?;
    let made = app.create_webhook(user.id, &new, key.as_ref()).await?;
    let mut response = json(StatusCode::CREATED, &made);
    let location = HeaderValue::from_str(&format!("/api/webhooks/{}", made.id)).expect("ids are visible ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

pub(crate) async fn update_webhook(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    let id = id(call, "webhook")?;
    let object = body::json_object(&call.request)?;
    let change = wire::webhook_change(&object, channels()?.targets).map_err(Problem::invalid)?;
    Ok(json(StatusCode::OK, &app.change_webhook(user.id, id, &change).await?))
}

pub(crate) async fn delete_webhook(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    app.delete_webhook(user.id, id(call, "webhook")?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn rotate_webhook_secret(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    let key = IdempotencyKey::of(&call.request, user.id)?;
    let rotated = app.rotate_webhook_secret(user.id, id(call, "webhook")?, key.as_ref()).await?;
    Ok(json(StatusCode::OK, &rotated))
}

pub(crate) async fn test_webhook(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    let id = app.test_webhook(user.id, id(call, "webhook")?).await?;
    Ok(json(StatusCode::ACCEPTED, &WebhookTestBody { id }))
}
