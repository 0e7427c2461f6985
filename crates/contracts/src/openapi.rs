//! The OpenAPI 3.1 document.
//!
//! Which paths and methods there are is said by `todo_app::routes` alone; each module below says what the operations of one component take and answer.
//! A route without a description does not compile, and a description without a route has no place to stand.

mod accounts;
mod activity;
mod answers;
mod described;
mod exports;
mod inputs;
mod notifications;
mod parameters;
mod problems;
mod service;
mod tasks;
mod transfer;
mod updates;

use std::fmt::Debug;

use http::Method;
use serde_json::{Map, Value, json};
use todo_app::http::router::Route;
use todo_app::routes;
use todo_app::updates::STREAM_COOKIE;

use self::described::Described;
use crate::samples;
use crate::schemas::generator;

/// One operation of the document.
#[derive(Debug)]
pub struct Operation {
    /// Which component answers it.
    pub component: &'static str,
    /// Its method.
    pub method: Method,
    /// Its path, captured segments in braces.
    pub path: &'static str,
    /// Its handler's name; where one handler has several routes, each after the first adds what tells it from that.
    pub id: String,
    described: Described,
}

/// Every operation, in the order of the tables.
pub fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    all.extend(of("tasks", routes::tasks::ROUTES, tasks::describe));
    all.extend(of("transfer", routes::transfer::ROUTES, transfer::describe));
    all.extend(of("exports", routes::exports::ROUTES, exports::describe));
    all.extend(of("accounts", routes::accounts::ROUTES, accounts::describe));
    all.extend(of("notifications", routes::notifications::ROUTES, notifications::describe));
    all.extend(of("activity", routes::activity::ROUTES, activity::describe));
    all.extend(of("updates", routes::updates::ROUTES, updates::describe));
    all.extend(of("openapi", routes::openapi::ROUTES, service::describe));
    all
}

/// The document.
pub fn document() -> Value {
    let mut generator = generator("/components/schemas");
    answers::define(&mut generator);
    let mut definitions = generator.take_definitions(true);
    definitions.extend(inputs::schemas());
    problems::complete(&mut definitions);

    let examples = samples::answers();
    let mut paths = Map::new();
    for Operation { id, method, path, described, .. } in operations() {
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[method.as_str().to_ascii_lowercase()] = described.into_json(&id, path, &examples);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "todo",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Tasks, lists and reminders.",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "parameters": parameters::all(),
            "headers": parameters::headers(),
            "responses": problems::responses(),
            "securitySchemes": {
                "accessToken": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The `token` of a sign-up, a sign-in or a refresh; valid for a quarter of an hour.",
                },
                "apiToken": {
                    "type": "http", "scheme": "bearer",
                    "description": "A token of `/api/tokens`: opens tasks, as its scopes say, and never the account.",
                },
                "refreshCookie": {
                    "type": "apiKey", "in": "cookie", "name": "refresh",
                    "description": "Set by a sign-up, a sign-in or a refresh; out of reach of a page's scripts.",
                },
                "streamCookie": {
                    "type": "apiKey", "in": "cookie", "name": STREAM_COOKIE,
                    "description": "Set with the refresh cookie, for `EventSource`, which sends no `Authorization`; opens streams alone, for a quarter of an hour.",
                },
            },
        },
    })
}

const DESCRIPTION: &str = "Every path answers with and without a slash at its end, `HEAD` where it answers `GET`, and `OPTIONS`.\n\
    Names of fields and parameters are read in any spelling: `dueDate`, `due_date`, `DUEDATE`.\n\
    Fields that only the service writes may be sent back and are ignored; other unknown fields are refused by name.\n\
    Errors are `application/problem+json`; their `type` is what programs compare.\n\
    Answers may gain fields, so clients ignore what they do not know.";

/// The operations of one component.
fn of<O: Copy + Debug>(
    component: &'static str,
    routes: &[Route<O>],
    describe: impl Fn(O) -> Described,
) -> Vec<Operation> {
    let mut all: Vec<Operation> = Vec::new();
    for route in routes {
        let handler = snake(&format!("{:?}", route.operation));
        let id = match all.iter().find(|other| other.id == handler) {
            None => handler,
            Some(other) if other.path == route.path => {
                format!("{handler}_by_{}", route.method.as_str().to_ascii_lowercase())
            }
            Some(_) => format!("{handler}_at{}", route.path.replace(['/', '-'], "_")),
        };
        let described = describe(route.operation);
        all.push(Operation { component, method: route.method.clone(), path: route.path, id, described });
    }
    all
}

/// `CreateTask` as `create_task`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}
