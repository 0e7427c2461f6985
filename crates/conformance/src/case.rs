//! A case: steps and what has to come of them.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::setup::Setup;

/// A few steps and what has to come of them.
///
/// In paths, bodies and expected texts `{case}` stands for a name of the case's own, and `{name}` for what
/// [`Case::keep`] kept. In expected JSON, `<any>`, `<text>`, `<uuid>` and `<time>` stand for what they say,
/// and a member `...` allows more members.
#[derive(Debug, Clone)]
pub struct Case {
    /// Stable: docs/daprd-differences.md names it.
    pub id: &'static str,
    /// What it shows, as a sentence.
    pub claim: &'static str,
    pub(crate) setup: Setup,
    /// What the app subscribes to when it is asked.
    pub(crate) programmatic: Vec<Value>,
    /// Specs of subscription documents.
    pub(crate) declarative: Vec<Value>,
    /// What the app answers on a route of the case's: each once, the last one ever after.
    pub(crate) answers: BTreeMap<String, Vec<(u16, String)>>,
    pub(crate) steps: Vec<Step>,
}

/// What is done, and what has to come of it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A request to the sidecar.
    Request(Request),
    /// The app gets a call on a route of the case's that matches.
    Gets(Call),
    /// The app gets so many calls on a route, and has got no more.
    Times { route: String, count: usize },
    /// The calls on a route came in this order of this member of their data.
    Order { route: String, data: Vec<Value> },
    /// The process ends by itself with this status.
    Ends { code: i32 },
    /// The process is told to end.
    Terminate,
}

/// A request to the sidecar, and the answer.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) expected: Expected,
    /// Variables out of the answer: a name and a header, or the body where it is empty.
    pub(crate) keep: Vec<(&'static str, &'static str)>,
    /// Whether it is repeated until the answer is as expected.
    pub(crate) until: bool,
}

/// What an answer has to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// 0: any.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) absent: Vec<&'static str>,
    pub(crate) body: Option<Body>,
}

/// A body.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// To the byte.
    Text(String),
    /// JSON, with patterns.
    Json(Value),
    /// As JSON, a list in the order of its members `key`.
    Unordered(Value),
}

/// A call that the app gets.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) route: String,
    pub(crate) method: Option<Method>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Option<Body>,
}

impl Case {
    /// Begins a case without steps.
    pub fn new(id: &'static str, claim: &'static str) -> Self {
        let (programmatic, declarative, answers, steps) = Default::default();
        Self { id, claim, setup: Setup::Usual, programmatic, declarative, answers, steps }
    }

    pub(crate) fn with(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// The name that `{case}` stands for.
    pub(crate) fn name(&self) -> String {
        self.id.replace('/', "-")
    }

    /// The app subscribes to the topic `{case}`; the route is `/{case}`.
    pub(crate) fn subscribes(self, more: Value) -> Self {
        self.subscribes_to("", more)
    }

    /// The app subscribes to the topic `{case}` and a suffix; the route is the topic's name.
    pub(crate) fn subscribes_to(mut self, suffix: &str, more: Value) -> Self {
        let topic = format!("{}{suffix}", self.name());
        let mut subscription =
            serde_json::json!({ "pubsubname": "pubsub", "topic": topic, "route": format!("/{topic}") });
        merge(&mut subscription, &self.fill_json(&more));
        self.programmatic.push(subscription);
        self
    }

    /// A document subscribes to the topic `{case}`.
    pub(crate) fn declares(mut self, spec: Value) -> Self {
        let mut whole = serde_json::json!({ "pubsubname": "pubsub", "topic": self.name() });
        merge(&mut whole, &self.fill_json(&spec));
        self.declarative.push(whole);
        self
    }

    /// What the app answers on a route: each once, the last one ever after.
    pub(crate) fn answers(mut self, route: &str, answers: &[(u16, &str)]) -> Self {
        let answers = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        self.answers.insert(self.fill(route), answers);
        self
    }

    pub(crate) fn request(mut self, method: Method, path: &str, body: impl ToString) -> Self {
        self.steps.push(Step::Request(Request {
            method,
            path: path.to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
            expected: Expected::default(),
            keep: Vec::new(),
            until: false,
        }));
        self
    }

    pub(crate) fn get(self, path: &str) -> Self {
        self.request(Method::GET, path, "")
    }

    pub(crate) fn post(self, path: &str, body: impl ToString) -> Self {
        self.request(Method::POST, path, body)
    }

    pub(crate) fn delete(self, path: &str) -> Self {
        self.request(Method::DELETE, path, "")
    }

    /// Publishes to the topic `{case}`; `query` begins with `?` or is empty.
    pub(crate) fn publish(self, query: &str, body: impl ToString) -> Self {
        let path = format!("/v1.0/publish/pubsub/{{case}}{query}");
        self.post(&path, body).is(204)
    }

    /// Adds a header to the last request; `content-type` is replaced, and left out where it is empty.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let request = self.last();
        request.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            request.headers.push((name, value.to_owned()));
        }
        self
    }

    /// The last request's status.
    pub(crate) fn is(mut self, status: u16) -> Self {
        self.last().expected.status = status;
        self
    }

    /// The last request may have any status.
    pub(crate) fn answers_anyhow(self) -> Self {
        self.is(0)
    }

    /// The last request is repeated until its answer is as expected.
    pub(crate) fn eventually(mut self) -> Self {
        self.last().until = true;
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.last().expected.body = Some(Body::Json(body));
        self
    }

    pub(crate) fn unordered(mut self, body: Value) -> Self {
        self.last().expected.body = Some(Body::Unordered(body));
        self
    }

    pub(crate) fn text(mut self, body: &str) -> Self {
        self.last().expected.body = Some(Body::Text(body.to_owned()));
        self
    }

    pub(crate) fn has(mut self, name: &'static str, value: &'static str) -> Self {
        self.last().expected.headers.push((name, value));
        self
    }

    pub(crate) fn has_no(mut self, name: &'static str) -> Self {
        self.last().expected.absent.push(name);
        self
    }

    /// The last request is refused with Dapr's error body.
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let body = serde_json::json!({ "errorCode": code, "message": "<text>", "...": "" });
        self.is(status).has("content-type", "application/json").json(body)
    }

    /// As [`Case::refused`], with the message.
    pub(crate) fn refused_with(self, status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "errorCode": code, "message": message, "...": "" });
        self.is(status).has("content-type", "application/json").json(body)
    }

    /// Keeps a header of the last answer for later steps.
    pub(crate) fn keep(mut self, name: &'static str, header: &'static str) -> Self {
        self.last().keep.push((name, header));
        self
    }

    /// The app gets a call with a JSON body on a route.
    pub(crate) fn gets(self, route: &str, body: Value) -> Self {
        self.gets_body(route, Some(Body::Json(body)))
    }

    /// The app gets an event with this data on the route `/{case}`.
    pub(crate) fn gets_data(self, data: Value) -> Self {
        self.gets("/{case}", serde_json::json!({ "data": data, "...": "" }))
    }

    pub(crate) fn gets_body(mut self, route: &str, body: Option<Body>) -> Self {
        self.steps.push(Step::Gets(Call { route: route.to_owned(), method: None, headers: Vec::new(), body }));
        self
    }

    /// The last call to the app has a header too.
    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Some(Step::Gets(call)) = self.steps.last_mut() {
            call.headers.push((name, value));
        }
        self
    }

    /// The last call to the app has this method.
    pub(crate) fn by(mut self, method: Method) -> Self {
        if let Some(Step::Gets(call)) = self.steps.last_mut() {
            call.method = Some(method);
        }
        self
    }

    pub(crate) fn times(mut self, route: &str, count: usize) -> Self {
        self.steps.push(Step::Times { route: route.to_owned(), count });
        self
    }

    pub(crate) fn order(mut self, route: &str, data: Vec<Value>) -> Self {
        self.steps.push(Step::Order { route: route.to_owned(), data });
        self
    }

    pub(crate) fn terminate(mut self) -> Self {
        self.steps.push(Step::Terminate);
        self
    }

    pub(crate) fn ends(mut self, code: i32) -> Self {
        self.steps.push(Step::Ends { code });
        self
    }

    fn last(&mut self) -> &mut Request {
        match self.steps.last_mut() {
            Some(Step::Request(request)) => request,
            _ => unreachable!("`{}`: an answer is expected of a request", self.id),
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{case}", &self.name())
    }

    fn fill_json(&self, value: &Value) -> Value {
        serde_json::from_str(&self.fill(&value.to_string())).expect("a name needs no escapes")
    }
}

/// Sets the members of an object in another one; `null` removes.
fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (name, value) in from {
        match value {
            Value::Null => into.remove(name),
            value => into.insert(name.clone(), value.clone()),
        };
    }
}
