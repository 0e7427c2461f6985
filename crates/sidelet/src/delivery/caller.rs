//! Calls into apps.

mod headers;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dapr::CLOUD_EVENT_CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use tokio::time::timeout;

use super::{bulk, terms::Outgoing, verdict::Verdict};
use crate::{
    apps,
    log::{Message, Topic},
    metrics::Metrics,
};

/// How much of an answer is read: a status is short.
const BODY: usize = 64 << 10;
/// How much of an answer to many messages, or of a list of subscriptions, is read.
const LONG_BODY: usize = 1 << 20;

/// Calls apps over connections that are kept.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    token: Option<HeaderValue>,
    metrics: Arc<Metrics>,
}

/// What became of a call that carries no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The app has answered.
    Answered(StatusCode),
    /// The app is not there.
    Absent,
    /// The app has not answered, and may have done something.
    Failed(&'static str),
}

/// Why there is no answer to judge.
enum NoAnswer {
    Absent,
    Late,
    Broken(&'static str),
}

impl NoAnswer {
    fn verdict(self) -> Verdict {
        match self {
            Self::Absent => Verdict::Absent,
            Self::Late => Verdict::retry("the app did not answer in time"),
            Self::Broken(reason) => Verdict::retry(reason),
        }
    }
}

impl Caller {
    /// Sends `token` with every call. One that no header can hold is refused.
    pub(crate) fn new(token: Option<&str>, metrics: Arc<Metrics>) -> Result<Self, header::InvalidHeaderValue> {
        let mut token = token.map(HeaderValue::from_str).transpose()?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        Ok(Self { client: apps::client(), token, metrics })
    }

    /// What is sent with every call.
    pub(crate) fn token(&self) -> Option<HeaderValue> {
        self.token.clone()
    }

    /// Posts one message, with the headers that daprd sends over Kafka.
    pub(super) async fn deliver(
        &self,
        outgoing: Outgoing,
        limit: Duration,
        topic: &Topic,
        partition: usize,
        message: &Message,
    ) -> Verdict {
        let trace = headers::trace_parent(&outgoing.content);
        let Ok(mut request) = Request::post(&*outgoing.url).body(Full::new(outgoing.content)) else {
            return Verdict::Drop("the route is not a path".into());
        };
        let all = request.headers_mut();
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static(CLOUD_EVENT_CONTENT_TYPE));
        all.insert("traceparent", trace);
        headers::describe(all, topic, partition, message);
        let start = Instant::now();
        let verdict = match self.call(request, limit, BODY).await {
            Ok((status, retry_after, body)) => Verdict::of(status, retry_after, &body),
            Err(none) => none.verdict(),
        };
        self.measure(topic, &verdict, start);
        verdict
    }

    fn measure(&self, topic: &Topic, verdict: &Verdict, start: Instant) {
        if *verdict == Verdict::Ignored {
            self.metrics.ignored(&topic.pubsub, &topic.name);
        }
        if let Some(name) = verdict.name() {
            self.metrics.delivered(&topic.pubsub, &topic.name, name, start);
        }
    }

    /// Posts many messages with one call, and gives a verdict for each, in their order.
    pub(super) async fn deliver_many(
        &self,
        url: &str,
        limit: Duration,
        topic: &Topic,
        entries: bulk::Entries,
    ) -> Vec<Verdict> {
        let bulk::Entries { ids, body } = entries;
        let Ok(mut request) = Request::post(url).body(Full::new(body)) else {
            return vec![Verdict::Drop("the route is not a path".into()); ids.len()];
        };
        let all = request.headers_mut();
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        all.insert("traceparent", headers::NO_TRACE);
        headers::insert(all, "pubsubname", &topic.pubsub);
        let start = Instant::now();
        let verdicts = match self.call(request, limit, LONG_BODY).await {
            Ok((status, retry_after, body)) => Verdict::of_many(status, retry_after, &body, &ids),
            Err(none) => vec![none.verdict(); ids.len()],
        };
        verdicts.iter().for_each(|verdict| self.measure(topic, verdict, start));
        verdicts
    }

    /// Posts `body`, which is JSON or empty, with `headers` beside those that every call has.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
        limit: Duration,
    ) -> Reached {
        self.send(Method::POST, url, headers, body, limit).await
    }

    /// Asks an app whether it takes what would be posted to `url`.
    pub(crate) async fn probe(&self, url: &str, limit: Duration) -> Reached {
        self.send(Method::OPTIONS, url, &[], Bytes::new(), limit).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
        limit: Duration,
    ) -> Reached {
        let empty = body.is_empty();
        let Ok(mut request) = Request::builder().method(method).uri(url).body(Full::new(body)) else {
            return Reached::Failed("the route is not a path");
        };
        let all = request.headers_mut();
        all.insert("traceparent", headers::NO_TRACE);
        headers.iter().for_each(|(name, value)| headers::insert(all, name, value));
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if empty {
            // Without it, some hosts answer 411.
            all.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        match self.call(request, limit, BODY).await {
            Ok((StatusCode::SERVICE_UNAVAILABLE, true, _)) | Err(NoAnswer::Absent) => Reached::Absent,
            Ok((status, ..)) => Reached::Answered(status),
            Err(NoAnswer::Late) => Reached::Failed("the app did not answer in time"),
            Err(NoAnswer::Broken(reason)) => Reached::Failed(reason),
        }
    }

    /// What is measured of calls.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Gets what an app says of itself: status and body. None while it is not there.
    pub(crate) async fn ask(&self, app_id: &str, url: &str, limit: Duration) -> Option<(StatusCode, Bytes)> {
        let mut request = Request::get(url).body(Full::default()).ok()?;
        let all = request.headers_mut();
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers::insert(all, "dapr-app-id", app_id);
        let (status, retry_after, body) = self.call(request, limit, LONG_BODY).await.ok()?;
        (status != StatusCode::SERVICE_UNAVAILABLE || !retry_after).then_some((status, body))
    }

    /// Status, whether `Retry-After` was there, and the body; an empty body in place of one that is longer than `longest`.
    async fn call(
        &self,
        mut request: Request<Full<Bytes>>,
        limit: Duration,
        longest: usize,
    ) -> Result<(StatusCode, bool, Bytes), NoAnswer> {
        if let Some(token) = &self.token {
            request.headers_mut().insert("dapr-api-token", token.clone());
        }
        timeout(limit, async {
            match self.client.request(request).await {
                Ok(answer) => read(answer, longest).await,
                Err(error) if error.is_connect() => Err(NoAnswer::Absent),
                Err(_) => Err(NoAnswer::Broken("the app closed the connection")),
            }
        })
        .await
        .unwrap_or(Err(NoAnswer::Late))
    }
}

async fn read(answer: Response<Incoming>, longest: usize) -> Result<(StatusCode, bool, Bytes), NoAnswer> {
    let (parts, body) = answer.into_parts();
    let retry_after = parts.headers.contains_key(header::RETRY_AFTER);
    let body = match Limited::new(body, longest).collect().await {
        Ok(body) => body.to_bytes(),
        // A long body says nothing about the message; a broken one may have lost what it said.
        Err(error) if error.is::<LengthLimitError>() => Bytes::new(),
        Err(_) => return Err(NoAnswer::Broken("the app's answer broke off")),
    };
    Ok((parts.status, retry_after, body))
}

/// What travels beside a message, as text.
pub(super) fn metadata(topic: &Topic, partition: usize, message: &Message) -> BTreeMap<String, String> {
    headers::metadata(topic, partition, message)
}
