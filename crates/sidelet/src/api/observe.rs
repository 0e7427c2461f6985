//! What is noted of each call: a few numbers, and a line of the log where the configuration asks for it.

use std::{borrow::Cow, time::Instant};

use http::{Method, Uri, header};
use hyper::body::Body;

use super::{answer::Answer, request::Call, route::Route};
use crate::{metrics::Request, sidecar::Sidecar};

/// A call that is being answered.
pub(super) struct Observation {
    start: Instant,
    name: Cow<'static, str>,
    method: Method,
    uri: Uri,
    received: Option<u64>,
    /// The caller's name for itself, when the call is to be logged.
    user_agent: Option<String>,
}

impl Observation {
    /// Keeps what the answer will not tell.
    pub(super) fn begin(sidecar: &Sidecar, route: &Route, call: &Call) -> Self {
        let settings = sidecar.api_log;
        let logged = settings.enabled && !(settings.omit_health_checks && route.is_health());
        Self {
            start: Instant::now(),
            name: route.name(sidecar),
            method: call.method.clone(),
            uri: call.uri.clone(),
            received: call.length(),
            user_agent: logged.then(|| call.header(header::USER_AGENT).to_owned()),
        }
    }

    /// Notes how it went. Of an app's answer it is the beginning.
    pub(super) fn end(self, sidecar: &Sidecar, answer: &Answer) {
        let (took, status, sent) = (self.start.elapsed(), answer.status().as_u16(), answer.body().size_hint().exact());
        sidecar.metrics.request(&Request {
            name: &self.name,
            verb: self.method.as_str(),
            path: self.uri.path(),
            status,
            received: self.received,
            sent,
            took,
        });
        let Some(user_agent) = self.user_agent else { return };
        let method = if sidecar.api_log.obfuscate_urls {
            self.name
        } else {
            Cow::Owned(format!("{} {}", self.method, self.uri.path()))
        };
        let duration_ms = took.as_secs_f64() * 1000.0;
        tracing::info!(%method, code = status, duration_ms, size = sent, useragent = %user_agent, "a call of the API was answered");
    }
}
