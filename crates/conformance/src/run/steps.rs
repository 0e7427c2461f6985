//! The steps of one case.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use backends::{Daprd, within};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::sync::Mutex;

use super::Outcome;
use crate::app::{App, Called};
use crate::case::{Body, Call, Case, Request, Step};
use crate::pattern;

/// Whom the steps are done with.
pub(super) struct Steps<'a> {
    pub(super) client: &'a Client,
    pub(super) address: &'a str,
    pub(super) app: &'a App,
    pub(super) daprd: &'a Mutex<Daprd>,
    pub(super) deadline: Duration,
}

/// An answer, read whole.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Steps<'_> {
    /// Does the steps up to the first that is not as expected.
    pub(super) async fn run(&self, case: &Case) -> Outcome {
        let mut names = BTreeMap::from([("case", case.name())]);
        let mut seen = Vec::new();
        let mut wrong = None;
        for (number, step) in case.steps.iter().enumerate() {
            if let Err(error) = self.step(step, &mut names, &mut seen).await {
                wrong = Some(format!("step {}: {error:#}", number + 1));
                break;
            }
        }
        seen.dedup();
        Outcome { id: case.id, claim: case.claim, seen: seen.join(", "), wrong }
    }

    async fn step(
        &self,
        step: &Step,
        names: &mut BTreeMap<&'static str, String>,
        seen: &mut Vec<String>,
    ) -> Result<()> {
        match step {
            Step::Request(request) => self.ask(request, names, seen).await,
            Step::Gets(call) => {
                let path = fill(&call.route, names);
                let body = call.body.as_ref().map(|body| filled(body, names)).transpose()?;
                let mut last = "nothing came".to_owned();
                let came = within(self.deadline, "the call", async || {
                    let called = self.app.called(&path);
                    let mut differences = called.iter().map(|called| call_differs(call, body.as_ref(), called));
                    if differences.by_ref().any(|difference| difference.is_none()) {
                        return Some(());
                    }
                    let newest = called.last().and_then(|called| call_differs(call, body.as_ref(), called));
                    last = newest.map_or_else(|| last.clone(), |difference| format!("{difference} in what came last"));
                    None
                });
                let came = came.await;
                came.map_err(|_| anyhow::anyhow!("the app got no such call on `{path}`: {last}"))?;
                seen.push("delivered".into());
                Ok(())
            }
            Step::Times { route, count } => {
                let path = fill(route, names);
                let _in_vain =
                    within(self.deadline, "calls", async || (self.app.called(&path).len() >= *count).then_some(()))
                        .await;
                let found = self.app.called(&path).len();
                if found != *count {
                    bail!("the app was called {found} times on `{path}`, not {count}");
                }
                seen.push(if found == 1 { "once".into() } else { format!("{found} times") });
                Ok(())
            }
            Step::Order { route, data } => {
                let path = fill(route, names);
                let came = || -> Vec<Value> {
                    let called = self.app.called(&path);
                    called
                        .iter()
                        .filter_map(|call| serde_json::from_str::<Value>(&call.body).ok())
                        .map(|event| event["data"].clone())
                        .collect()
                };
                let _in_vain =
                    within(self.deadline, "calls", async || (came().len() >= data.len()).then_some(())).await;
                if came() != *data {
                    bail!("the app got {}, not {}", Value::from(came()), Value::from(data.clone()));
                }
                seen.push("in order".into());
                Ok(())
            }
            Step::Terminate => self.daprd.lock().await.terminate(),
            Step::Ends { code } => {
                let mut daprd = self.daprd.lock().await;
                let status = within(self.deadline, "it ends", async || daprd.ended()).await?;
                seen.push(format!("ends with {status}").replace("exit status: ", ""));
                if status.code() != Some(*code) {
                    bail!("it ended with {status}, not {code}");
                }
                Ok(())
            }
        }
    }

    async fn ask(
        &self,
        request: &Request,
        names: &mut BTreeMap<&'static str, String>,
        seen: &mut Vec<String>,
    ) -> Result<()> {
        let mut last = None;
        let asked = within(self.deadline, "the answer", async || {
            let answer = match self.send(request, names).await {
                Ok(answer) => answer,
                Err(error) => {
                    last = Some((Err(error), "no answer".to_owned()));
                    return (!request.until).then_some(());
                }
            };
            let judged = judge(request, &answer, names);
            let done = !request.until || judged.is_ok();
            let short = short(&answer);
            last = Some((judged.map(|()| answer), short));
            done.then_some(())
        });
        let asked = asked.await;
        let (judged, short) = last.context("nothing was asked")?;
        seen.push(short);
        let answer = judged?;
        asked?;
        for (name, header) in &request.keep {
            names.insert(name, header_of(&answer, header));
        }
        Ok(())
    }

    async fn send(&self, request: &Request, names: &BTreeMap<&'static str, String>) -> Result<Answer> {
        let path = fill(&request.path, names);
        let mut builder = self.client.request(request.method.clone(), format!("{}{path}", self.address));
        for (name, value) in &request.headers {
            builder = builder.header(*name, fill(value, names));
        }
        let response: Response = builder.body(fill(&request.body, names)).send().await.context("no answer")?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await.context("no whole answer")? })
    }
}

/// What is said of an answer in the table.
fn short(answer: &Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["errorCode"].as_str().map_or_else(|| answer.status.to_string(), |code| format!("{} {code}", answer.status))
}

fn judge(request: &Request, answer: &Answer, names: &BTreeMap<&'static str, String>) -> Result<()> {
    let expected = &request.expected;
    if expected.status != 0 && answer.status != expected.status {
        bail!("{}, not {}: {}", answer.status, expected.status, answer.body);
    }
    for (name, value) in &expected.headers {
        let found = header_of(answer, name);
        if !pattern::text_is(&fill(value, names), &found) {
            bail!("the header `{name}` is `{found}`, not `{value}`");
        }
    }
    if let Some(name) = expected.absent.iter().find(|name| answer.headers.contains_key(**name)) {
        bail!("there is a header `{name}`");
    }
    match &expected.body {
        None => Ok(()),
        Some(body) => {
            body_differs(&filled(body, names)?, &answer.body).map_or(Ok(()), |difference| bail!("{difference}"))
        }
    }
}

fn header_of(answer: &Answer, name: &str) -> String {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn call_differs(call: &Call, body: Option<&Body>, called: &Called) -> Option<String> {
    if call.method.as_ref().is_some_and(|method| *method != called.method) {
        return Some(format!("the method {}", called.method));
    }
    for (name, value) in &call.headers {
        let found = called.headers.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !pattern::text_is(value, found) {
            return Some(format!("the header `{name}` is `{found}`"));
        }
    }
    body.and_then(|body| body_differs(body, &called.body))
}

fn body_differs(expected: &Body, found: &str) -> Option<String> {
    let json =
        |expected: &Value, found: &Value| pattern::differs(expected, found).map(|place| format!("the body's {place}"));
    match expected {
        Body::Text(expected) => {
            (!pattern::text_is(expected, found)).then(|| format!("the body `{found}`, not `{expected}`"))
        }
        Body::Json(expected) => match serde_json::from_str(found) {
            Ok(found) => json(expected, &found),
            Err(_) => Some(format!("the body `{found}` is no JSON")),
        },
        Body::Unordered(expected) => {
            let mut found: Vec<Value> = serde_json::from_str(found).unwrap_or_default();
            found.sort_by_key(|element| element["key"].to_string());
            json(expected, &found.into())
        }
    }
}

/// A body with the names of the case's run.
fn filled(body: &Body, names: &BTreeMap<&'static str, String>) -> Result<Body> {
    let value =
        |value: &Value| serde_json::from_str(&fill(&value.to_string(), names)).context("a name needs no escapes");
    Ok(match body {
        Body::Text(text) => Body::Text(fill(text, names)),
        Body::Json(json) => Body::Json(value(json)?),
        Body::Unordered(json) => Body::Unordered(value(json)?),
    })
}

fn fill(text: &str, names: &BTreeMap<&'static str, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
