//! What KEDA asks, as its `externalscaler.proto` says.

use std::{collections::HashMap, time::Duration};

use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use prost::Message;
use tokio::time::timeout;
use tonic::{Status, Streaming, body::Body, client::Grpc};
use tonic_prost::ProstCodec;

use crate::harness::{DEADLINE, Sidecar};

#[derive(Clone, PartialEq, Message)]
struct ScaledObjectRef {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    namespace: String,
    #[prost(map = "string, string", tag = "3")]
    scaler_metadata: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct IsActive {
    #[prost(bool, tag = "1")]
    result: bool,
}

/// A name and a number: the list of a `GetMetricSpecResponse` and of a `GetMetricsResponse` alike.
#[derive(Clone, PartialEq, Message)]
struct Metrics {
    #[prost(message, repeated, tag = "1")]
    all: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "2")]
    number: i64,
}

#[derive(Clone, PartialEq, Message)]
struct GetMetrics {
    #[prost(message, optional, tag = "1")]
    object: Option<ScaledObjectRef>,
    #[prost(string, tag = "2")]
    name: String,
}

/// A client of the scaler.
pub(super) struct Keda {
    grpc: Grpc<Client<HttpConnector, Body>>,
}

/// What a stream says.
pub(super) struct Pushes(Streaming<IsActive>);

impl Pushes {
    /// What it says next. None: it has ended.
    pub(super) async fn next(&mut self) -> Option<bool> {
        let next = timeout(DEADLINE, self.0.message()).await.expect("the stream says something");
        next.unwrap().map(|said| said.result)
    }

    pub(super) async fn says_nothing_for(&mut self, time: Duration) -> bool {
        timeout(time, self.0.message()).await.is_err()
    }
}

fn object(metadata: &[(&str, &str)]) -> ScaledObjectRef {
    let scaler_metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ScaledObjectRef { name: "handler".into(), namespace: "todo".into(), scaler_metadata }
}

impl Keda {
    pub(super) fn of(sidecar: &Sidecar) -> Self {
        Self::at(&format!("http://{}", sidecar.running.scaler_addr().unwrap()))
    }

    pub(super) fn at(address: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self { grpc: Grpc::with_origin(client, address.parse().unwrap()) }
    }

    async fn ask<Q, A>(&self, call: &'static str, question: Q) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let path = call.parse().unwrap();
        let codec = ProstCodec::<Q, A>::default();
        self.grpc.clone().unary(tonic::Request::new(question), path, codec).await.map(tonic::Response::into_inner)
    }

    pub(super) async fn stream(&self, metadata: &[(&str, &str)]) -> Pushes {
        let path = "/externalscaler.ExternalScaler/StreamIsActive".parse().unwrap();
        let (question, codec) = (tonic::Request::new(object(metadata)), ProstCodec::<ScaledObjectRef, _>::default());
        Pushes(self.grpc.clone().server_streaming(question, path, codec).await.unwrap().into_inner())
    }

    pub(super) async fn is_active(&self, metadata: &[(&str, &str)]) -> bool {
        let answer: IsActive = self.ask("/externalscaler.ExternalScaler/IsActive", object(metadata)).await.unwrap();
        answer.result
    }

    /// What both the question whether there is work and that how much end with.
    pub(super) async fn unread(&self, metadata: &[(&str, &str)]) -> Status {
        let question = GetMetrics { object: Some(object(metadata)), name: String::new() };
        let measure = self.ask::<_, Metrics>("/externalscaler.ExternalScaler/GetMetrics", question).await.unwrap_err();
        let active = self.ask::<_, IsActive>("/externalscaler.ExternalScaler/IsActive", object(metadata)).await;
        assert_eq!(active.unwrap_err().code(), measure.code());
        measure
    }

    /// The name of the measure, and how much of it is one replica's.
    pub(super) async fn spec(&self, metadata: &[(&str, &str)]) -> (String, i64) {
        let path = "/externalscaler.ExternalScaler/GetMetricSpec";
        only(self.ask(path, object(metadata)).await.unwrap())
    }

    /// The measure now.
    pub(super) async fn metric(&self, metadata: &[(&str, &str)]) -> (String, i64) {
        let question = GetMetrics { object: Some(object(metadata)), name: String::new() };
        only(self.ask("/externalscaler.ExternalScaler/GetMetrics", question).await.unwrap())
    }

    /// What each of the calls is refused with.
    pub(super) async fn refused(&self, metadata: &[(&str, &str)]) -> Status {
        let stream = "/externalscaler.ExternalScaler/StreamIsActive";
        let spec = "/externalscaler.ExternalScaler/GetMetricSpec";
        let spec = self.ask::<_, Metrics>(spec, object(metadata)).await.unwrap_err();
        let stream = self.ask::<_, IsActive>(stream, object(metadata)).await.unwrap_err();
        assert_eq!(spec.message(), stream.message());
        spec
    }

    pub(super) async fn unknown_call(&self) -> Status {
        self.ask::<_, IsActive>("/externalscaler.ExternalScaler/Sleep", object(&[])).await.unwrap_err()
    }
}

fn only(metrics: Metrics) -> (String, i64) {
    let [metric] = metrics.all.try_into().expect("one measure");
    (metric.name, metric.number)
}
