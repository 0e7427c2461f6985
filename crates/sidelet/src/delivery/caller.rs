//! Calls into apps.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dapr::CLOUD_EVENT_CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::timeout;

use super::verdict::Verdict;
use crate::{
    metrics::Metrics,
    sqlite::log::{Message, Topic},
};

/// How long an app's port may take to accept.
const CONNECT: Duration = Duration::from_secs(1);
/// How long an app may work on one message before it counts as failed.
const ANSWER: Duration = Duration::from_secs(60);
/// How much of an answer is read: a status is short.
const BODY: usize = 64 << 10;
/// The trace context of a message that has none.
const NO_TRACE: HeaderValue = HeaderValue::from_static("00-00000000000000000000000000000000-0000000000000000-00");

/// Posts messages, over connections that are kept.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    token: Option<HeaderValue>,
    metrics: Arc<Metrics>,
}

impl Caller {
    /// Sends `token` with every call. One that no header can hold is refused.
    pub(crate) fn new(token: Option<&str>, metrics: Arc<Metrics>) -> Result<Self, header::InvalidHeaderValue> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        let mut token = token.map(HeaderValue::from_str).transpose()?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        Ok(Self { client, token, metrics })
    }

    /// What is sent with every call.
    pub(crate) fn token(&self) -> Option<HeaderValue> {
        self.token.clone()
    }

    /// Posts `message` to `url`, with the headers that daprd sends over Kafka.
    pub(super) async fn deliver(&self, url: &str, topic: &Topic, partition: usize, message: &Message) -> Verdict {
        let Ok(mut request) = Request::post(url).body(Full::new(message.content.clone())) else {
            return Verdict::Drop("the route is not a path".into());
        };
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CLOUD_EVENT_CONTENT_TYPE));
        headers.insert("traceparent", trace_parent(&message.content).unwrap_or(NO_TRACE));
        let attributes: BTreeMap<String, String> = serde_json::from_str(&message.attributes).unwrap_or_default();
        let numbers = [
            ("__partition", partition.to_string()),
            ("__offset", message.offset.to_string()),
            ("__timestamp", message.time.to_string()),
        ];
        let names = [("pubsubname", topic.pubsub.as_str()), ("__topic", topic.name.as_str())];
        let key = message.key.as_deref().map(|key| ("__key", key));
        let all = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all = all.chain(names).chain(key).chain(numbers.iter().map(|(name, value)| (*name, value.as_str())));
        for (name, value) in all {
            // What no header can hold stays behind, but for what frames the request.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
                && !is_framing(&name)
            {
                headers.insert(name, value);
            }
        }
        if let Some(token) = &self.token {
            headers.insert("dapr-api-token", token.clone());
        }
        let start = Instant::now();
        let verdict = match timeout(ANSWER, self.call(request)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Retry("the app did not answer in time".into()),
        };
        if let Some(name) = verdict.name() {
            self.metrics.delivered(&topic.pubsub, &topic.name, name, start);
        }
        verdict
    }

    async fn call(&self, request: Request<Full<Bytes>>) -> Verdict {
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Verdict::Absent,
            Err(_) => return Verdict::Retry("the app closed the connection".into()),
        };
        let (parts, body) = answer.into_parts();
        let retry_after = parts.headers.contains_key(header::RETRY_AFTER);
        match Limited::new(body, BODY).collect().await {
            Ok(body) => Verdict::of(parts.status, retry_after, &body.to_bytes()),
            // A long body says nothing about the message; a broken one may have lost what it said.
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Verdict::of(parts.status, retry_after, b""),
            Err(_) => Verdict::Retry("the app's answer broke off".into()),
        }
    }
}

/// Metadata comes from whoever publishes; it must not change how the request is read.
fn is_framing(name: &HeaderName) -> bool {
    [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::HOST,
        header::UPGRADE,
        header::EXPECT,
        header::TE,
        header::TRAILER,
    ]
    .contains(name)
        || name == "dapr-api-token"
}

/// The trace context in an envelope.
fn trace_parent(content: &[u8]) -> Option<HeaderValue> {
    #[derive(serde::Deserialize)]
    struct Traced<'content> {
        #[serde(borrow, default)]
        traceparent: std::borrow::Cow<'content, str>,
    }
    let traced: Traced<'_> = serde_json::from_slice(content).ok()?;
    HeaderValue::from_str(&traced.traceparent).ok().filter(|value| !value.is_empty())
}
