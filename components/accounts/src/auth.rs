//! Signing up, in and out.

use http::StatusCode;
use serde_json::{Map, Value};
use todo_app::accounts::{SignUp, SignedIn};
use todo_app::http::{Answer, Request, body, client_address, empty, json, problem::Problem};
use todo_app::wire::{Fields, SignedInBody};
use todo_domain::TimeZoneName;

use crate::{App, cookie};

pub(crate) async fn sign_up(app: &App, request: &Request) -> Answer {
    let object = body::json_object(request)?;
    let mut fields = Fields::new(&object);
    let input = SignUp {
        email: fields.required_text("email"),
        name: fields.required_text("name"),
        password: fields.required_text("password"),
        time_zone: fields.time_zone("timeZone").unwrap_or_else(TimeZoneName::utc),
        client_address: client_address(request, app.settings.proxies),
    };
    fields.finish().map_err(Problem::invalid)?;
    let signed_in = app.sign_up(input).await?;
    Ok(answer(StatusCode::CREATED, request, signed_in))
}

pub(crate) async fn sign_in(app: &App, request: &Request) -> Answer {
    let object: Map<String, Value> = body::json_object(request)?;
    let mut fields = Fields::new(&object);
    let (email, password) = (fields.required_text("email"), fields.required_text("password"));
    fields.finish().map_err(Problem::invalid)?;
    let signed_in = app.sign_in(&email, &password).await?;
    Ok(answer(StatusCode::OK, request, signed_in))
}

pub(crate) async fn refresh(app: &App, request: &Request) -> Answer {
    let signed_in = app.refresh(&cookie::read_refresh(request)).await?;
    Ok(answer(StatusCode::OK, request, signed_in))
}

pub(crate) async fn sign_out(app: &App, request: &Request) -> Answer {
    app.sign_out(&cookie::read_refresh(request)).await?;
    let mut response = empty(StatusCode::NO_CONTENT);
    cookie::clear(&mut response, request);
    Ok(response)
}

/// The access token in the body and in the cookie of streams, and the refresh token in its own.
pub(crate) fn answer(status: StatusCode, request: &Request, signed_in: SignedIn) -> todo_app::http::Response {
    let mut response = json(status, &SignedInBody::from(&signed_in));
    cookie::set(&mut response, request, &signed_in);
    response
}
