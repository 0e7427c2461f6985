//! Browsers that are reached while no page is open.

use http::{HeaderValue, StatusCode, header};
use todo_app::http::{Answer, Request, body, empty, json, problem::Problem};
use todo_app::notifications::{Channels, push::PushKeyBody};
use todo_app::spin::{Call, channels};
use todo_app::wire;
use web_push::SenderKey;

use crate::{App, Operation, id};

pub(crate) fn get_push_key() -> Answer {
    let public_key = key(&channels()?)?.public_key();
    Ok(json(StatusCode::OK, &PushKeyBody { public_key }))
}

pub(crate) async fn list_push_subscriptions(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    Ok(json(StatusCode::OK, &app.push_subscriptions(user.id).await?))
}

pub(crate) async fn create_push_subscription(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    let channels = channels()?;
    key(&channels)?;
    let object = body::json_object(request)?;
    let new = wire::push_subscription(&object, channels.targets).map_err(Problem::invalid)?;
    let made = app.add_push_subscription(user.id, &new).await?;
    let mut response = json(StatusCode::CREATED, &made);
    let location =
        HeaderValue::from_str(&format!("/api/push-subscriptions/{}", made.id)).expect("ids are visible ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

pub(crate) async fn delete_push_subscription(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    app.remove_push_subscription(user.id, id(call, "push subscription")?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The key of an operator who has switched web push on.
fn key(channels: &Channels) -> Result<&SenderKey, Problem> {
    let off = || Problem::not_found("Web push is switched off here: its operator has given the service no VAPID key.");
    channels.sender_key.as_ref().ok_or_else(off)
}
