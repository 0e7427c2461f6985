//! The four calls of KEDA's, over gRPC.

use std::{convert::Infallible, sync::Arc};

use futures::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use hyper::{Request, Response, body::Incoming};
use prost::Message;
use tonic::{
    Status,
    body::Body,
    server::{Grpc, ServerStreamingService, UnaryService},
};
use tonic_prost::ProstCodec;

use super::{
    Scaler,
    demand::{self, Watch},
    target::Target,
    wire::{
        GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec, MetricValue,
        ScaledObjectRef,
    },
};
use crate::store::StoreError;

/// The longest request: a ScaledObject's metadata are a few lines.
const REQUEST: usize = 64 << 10;

/// Answers one call.
pub(super) async fn serve(scaler: Arc<Scaler>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    Ok(match request.uri().path() {
        "/externalscaler.ExternalScaler/IsActive" => {
            let call = Call(move |object| is_active(scaler.clone(), object));
            grpc().unary(call, request).await
        }
        "/externalscaler.ExternalScaler/StreamIsActive" => {
            let call = Call(move |object| stream_is_active(scaler.clone(), object));
            grpc().server_streaming(call, request).await
        }
        "/externalscaler.ExternalScaler/GetMetricSpec" => {
            let call = Call(move |object| get_metric_spec(scaler.clone(), object));
            grpc().unary(call, request).await
        }
        "/externalscaler.ExternalScaler/GetMetrics" => {
            let call = Call(move |asked| get_metrics(scaler.clone(), asked));
            grpc().unary(call, request).await
        }
        path => Status::unimplemented(format!("`{path}` is no call of `externalscaler.ExternalScaler`")).into_http(),
    })
}

async fn is_active(scaler: Arc<Scaler>, object: ScaledObjectRef) -> Result<IsActiveResponse, Status> {
    let target = Target::read(&object, &scaler.sidecar)?;
    let result = demand::is_active(&target, &scaler.sidecar).await.map_err(|error| unread(&target, &error))?;
    Ok(IsActiveResponse { result })
}

/// Says at once whether the target is active, and then each time that this changes.
async fn stream_is_active(scaler: Arc<Scaler>, object: ScaledObjectRef) -> Result<Activities, Status> {
    let target = Target::read(&object, &scaler.sidecar)?;
    tracing::debug!(app = %target.app, topic = target.topic, "a ScaledObject listens");
    let watch = Watch::new(target, &scaler.sidecar);
    let next = async move |(scaler, mut watch): (Arc<Scaler>, Watch)| {
        let result = watch.next(&scaler.sidecar, &scaler.stop).await?;
        Some((Ok(IsActiveResponse { result }), (scaler, watch)))
    };
    Ok(stream::unfold((scaler, watch), next).boxed())
}

async fn get_metric_spec(scaler: Arc<Scaler>, object: ScaledObjectRef) -> Result<GetMetricSpecResponse, Status> {
    let target = Target::read(&object, &scaler.sidecar)?;
    let spec = MetricSpec { metric_name: target.metric(), target_size: target.threshold, target_size_float: 0.0 };
    Ok(GetMetricSpecResponse { metric_specs: vec![spec] })
}

async fn get_metrics(scaler: Arc<Scaler>, asked: GetMetricsRequest) -> Result<GetMetricsResponse, Status> {
    let target = Target::read(&asked.scaled_object_ref.unwrap_or_default(), &scaler.sidecar)?;
    let metric_value = demand::count(&target, &scaler.sidecar).await.map_err(|error| unread(&target, &error))?;
    let value = MetricValue { metric_name: target.metric(), metric_value, metric_value_float: 0.0 };
    Ok(GetMetricsResponse { metric_values: vec![value] })
}

/// The broker could not be asked.
fn unread(target: &Target, error: &StoreError) -> Status {
    tracing::warn!(app = %target.app, %error, "how far an app is behind could not be read");
    Status::unavailable(format!("how far `{}` is behind could not be read: {error}; ask again", target.app))
}

/// What a stream says.
type Activities = BoxStream<'static, Result<IsActiveResponse, Status>>;

fn grpc<Q, A>() -> Grpc<ProstCodec<A, Q>>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    Grpc::new(ProstCodec::default()).apply_max_message_size_config(Some(REQUEST), None)
}

/// A function as what tonic calls.
struct Call<C>(C);

impl<C, Q, F, A> UnaryService<Q> for Call<C>
where
    C: FnMut(Q) -> F,
    F: Future<Output = Result<A, Status>> + Send + 'static,
{
    type Response = A;
    type Future = BoxFuture<'static, Result<tonic::Response<A>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        let answer = self.0(request.into_inner());
        Box::pin(async { answer.await.map(tonic::Response::new) })
    }
}

impl<C, Q, F> ServerStreamingService<Q> for Call<C>
where
    C: FnMut(Q) -> F,
    F: Future<Output = Result<Activities, Status>> + Send + 'static,
{
    type Response = IsActiveResponse;
    type ResponseStream = Activities;
    type Future = BoxFuture<'static, Result<tonic::Response<Activities>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        let answer = self.0(request.into_inner());
        Box::pin(async { answer.await.map(tonic::Response::new) })
    }
}
