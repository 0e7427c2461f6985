//! What opens the API without a person: API tokens and the calendar feed.

use http::{HeaderValue, StatusCode, header};
use todo_app::http::{Answer, Request, body, empty, json, problem::Problem};
use todo_app::idempotency::IdempotencyKey;
use todo_app::spin::Call;
use todo_app::wire::{self, FeedBody};

use crate::{App, Operation};

pub(crate) async fn list_api_tokens(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    Ok(json(StatusCode::OK, &app.api_tokens(&user).await?))
}

pub(crate) async fn create_api_token(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    let key = IdempotencyKey::of(request, user.id)?;
    let object = body::json_object(request)?;
    let new = wire::new_api_token(&object, app.now).map_err(Problem::invalid)?;
    let made = app.create_api_token(&user, &new, key.as_ref()).await?;
    Ok(json(StatusCode::CREATED, &made))
}

pub(crate) async fn revoke_api_token(app: &App, call: &Call<Operation>) -> Answer {
    let user = app.signed_in_user(&call.request)?;
    let id = call.path.first().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| Problem::not_found("There is no such API token."))?;
    app.revoke_api_tokens(&user, Some(id)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn revoke_api_tokens(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    app.revoke_api_tokens(&user, None).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn open_calendar_feed(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    let key = IdempotencyKey::of(request, user.id)?;
    let feed = app.open_feed(&user, key.as_ref()).await?;
    let body = FeedBody::new(&feed);
    let mut response = json(StatusCode::CREATED, &body);
    let location = HeaderValue::from_str(&body.url).expect("ids and base64 are visible ASCII");
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

pub(crate) async fn close_calendar_feed(app: &App, request: &Request) -> Answer {
    let user = app.signed_in_user(request)?;
    app.close_feed(&user).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
