//! What one operation takes and answers, said step by step.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::problems;

/// What one operation takes and answers.
#[derive(Debug)]
pub(super) struct Described {
    tag: &'static str,
    summary: &'static str,
    security: Vec<Value>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
}

impl Described {
    /// An operation that everyone may call. Every operation may be unavailable.
    pub(super) fn new(tag: &'static str, summary: &'static str) -> Self {
        let described =
            Self { tag, summary, security: Vec::new(), parameters: Vec::new(), body: None, answers: BTreeMap::new() };
        described.refuses([503])
    }

    /// Only for who has signed in; API tokens do not open the account.
    pub(super) fn signed_in(mut self) -> Self {
        self.security = vec![json!({ "accessToken": [] })];
        self.refuses([401, 403])
    }

    /// Only for who has signed in, or shows an API token that may read.
    pub(super) fn reads(mut self) -> Self {
        self.security = vec![json!({ "accessToken": [] }), json!({ "apiToken": [] })];
        self.refuses([401, 403])
    }

    /// As [`Described::reads`], and for pages by the cookie of streams.
    pub(super) fn listens(self) -> Self {
        let mut described = self.reads();
        described.security.push(json!({ "streamCookie": [] }));
        described
    }

    /// Only for who has signed in, or shows an API token that may write; once for each `Idempotency-Key`.
    pub(super) fn writes(self) -> Self {
        self.reads().numbered().refuses([422, 429])
    }

    /// Changes what is stored.
    pub(super) fn changes(self) -> Self {
        self.refuses([409])
    }

    /// Takes an `Idempotency-Key`.
    pub(super) fn numbered(self) -> Self {
        self.takes(&["IdempotencyKey"]).refuses([400]).changes()
    }

    /// Only for who shows the refresh cookie.
    pub(super) fn by_cookie(mut self) -> Self {
        self.security = vec![json!({ "refreshCookie": [] })];
        self
    }

    /// Takes parameters of `components/parameters`.
    pub(super) fn takes(mut self, names: &[&str]) -> Self {
        self.parameters.extend(names.iter().map(|name| reference("parameters", name)));
        self
    }

    /// Takes a condition on the task's version.
    pub(super) fn conditional(self) -> Self {
        self.takes(&["IfMatch"]).refuses([400, 412])
    }

    /// Takes a JSON body of a schema.
    pub(super) fn body(self, schema: &str, example: Value) -> Self {
        let content = json!({ "schema": reference("schemas", schema), "example": example });
        self.body_of([("application/json", content)])
    }

    /// Takes a body of one of some media types.
    pub(super) fn body_of<'a>(mut self, content: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let content: Map<String, Value> =
            content.into_iter().map(|(media_type, value)| (media_type.to_owned(), value)).collect();
        self.body = Some(json!({ "required": true, "content": content }));
        self.refuses([400, 413, 415])
    }

    /// Answers without a body.
    pub(super) fn answers(mut self, status: u16, description: &str) -> Self {
        let mut answer = json!({
            "description": description,
            "headers": { "X-Request-Id": reference("headers", "RequestId") },
        });
        if self.answers.contains_key(&422) {
            answer["headers"]["Idempotent-Replayed"] = reference("headers", "IdempotentReplayed");
        }
        self.answers.insert(status, answer);
        self
    }

    /// Answers with JSON of a schema.
    pub(super) fn answers_json(self, status: u16, description: &str, schema: &str) -> Self {
        self.answers_with(
            status,
            description,
            json!({ "application/json": { "schema": reference("schemas", schema) } }),
        )
    }

    /// Answers with JSON, an array of a schema.
    pub(super) fn answers_array(self, status: u16, description: &str, schema: &str) -> Self {
        let schema = json!({ "type": "array", "items": reference("schemas", schema) });
        self.answers_with(status, description, json!({ "application/json": { "schema": schema } }))
    }

    /// Answers with this content.
    pub(super) fn answers_with(self, status: u16, description: &str, content: Value) -> Self {
        let mut described = self.answers(status, description);
        described.last(status)["content"] = content;
        described
    }

    /// The answer of a status carries headers, by their names and those in `components/headers`.
    pub(super) fn headers(mut self, status: u16, headers: &[(&str, &str)]) -> Self {
        for (name, component) in headers {
            self.last(status)["headers"][*name] = reference("headers", component);
        }
        self
    }

    /// From the answer of a status one can go on: to these operations, with parameters or a body taken from it.
    pub(super) fn links(mut self, status: u16, links: &[(&str, Value)]) -> Self {
        for (operation, rest) in links {
            let mut link = rest.clone();
            link["operationId"] = json!(operation);
            self.last(status)["links"][*operation] = link;
        }
        self
    }

    /// Refuses with problem details.
    pub(super) fn refuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        for status in statuses {
            self.answers.insert(status, reference("responses", problems::name(status)));
        }
        self
    }

    /// The operation of an id and a path, with the examples that there are of its answers, by `<id>.<status>`.
    pub(super) fn into_json(mut self, id: &str, path: &str, examples: &BTreeMap<String, Value>) -> Value {
        for (status, answer) in &mut self.answers {
            if let Some(example) = examples.get(&format!("{id}.{status}")) {
                answer["content"]["application/json"]["example"] = example.clone();
            }
        }
        let captured = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.split('}').next());
        let in_path = captured.map(|name| reference("parameters", &format!("path.{name}")));
        let parameters: Vec<Value> = in_path.chain(self.parameters).collect();
        let answers: Map<String, Value> =
            self.answers.into_iter().map(|(status, answer)| (status.to_string(), answer)).collect();
        let mut operation = json!({
            "operationId": id,
            "summary": self.summary,
            "tags": [self.tag],
            "security": self.security,
            "responses": answers,
        });
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        if let Some(body) = self.body {
            operation["requestBody"] = body;
        }
        operation
    }

    fn last(&mut self, status: u16) -> &mut Value {
        self.answers.get_mut(&status).expect("the answer is described before what belongs to it")
    }
}

/// A reference to one of the document's components.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
