//! The bindings API: an operation of an output binding.

use std::{collections::BTreeMap, time::Instant};

use dapr::{Metadata, code};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer::{Answer, Refusal, empty, json},
    request::Call,
};
use crate::{
    bindings::{BindingError, Invocation},
    sidecar::Sidecar,
};

/// Values of the body's metadata, which Dapr wants to be text.
#[derive(Deserialize)]
struct Body<'body> {
    #[serde(default)]
    operation: String,
    #[serde(borrow, default)]
    data: Option<&'body RawValue>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

/// 200 with what the operation gives and headers `metadata.<key>`, or 204.
pub(super) async fn invoke_output_binding(sidecar: &Sidecar, name: &str, call: &mut Call) -> Result<Answer, Refusal> {
    let body = call.body(sidecar).await?;
    let unreadable = |reason: &str| Refusal::malformed(format!("failed deserializing HTTP body: {reason}"));
    let text = std::str::from_utf8(&body).map_err(|_| unreadable("it is not UTF-8"))?;
    // A list would be read as the fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(unreadable("it is no JSON object"));
    }
    let body: Body<'_> = serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))?;
    let failed = |reason: &str| {
        let message = format!("error invoking output binding {name}: {reason}");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::INVOKE_OUTPUT_BINDING, message)
    };
    let Some(binding) = sidecar.resources.output(name) else {
        return Err(failed(&format!("couldn't find output binding {name}")));
    };
    if body.operation.is_empty() {
        return Err(failed("operation field is missing from request"));
    }
    let metadata: Metadata = body.metadata.unwrap_or_default().into_iter().collect();
    let invocation = Invocation { operation: &body.operation, data: body.data, metadata: &metadata };
    let start = Instant::now();
    let outcome = sidecar.guards.ask(name, || binding.invoke(&invocation)).await;
    let known = binding.operations().iter().find(|known| **known == body.operation);
    sidecar.metrics.output_binding(name, known.copied().unwrap_or_default(), outcome.is_ok(), start);
    match outcome {
        Ok(None) => Ok(empty()),
        Ok(Some(produced)) => Ok(with_metadata(json(StatusCode::OK, produced.data), &produced.metadata)),
        Err(error) => {
            tracing::warn!(%error, component = name, operation = %body.operation, "an output binding failed");
            let answer = Answer::from(failed(&error.to_string()));
            Ok(match &error {
                BindingError::Failed { metadata, .. } => with_metadata(answer, metadata),
                _ => answer,
            })
        }
    }
}

fn with_metadata(mut answer: Answer, metadata: &[(String, String)]) -> Answer {
    for (name, value) in metadata {
        let name = HeaderName::try_from(format!("metadata.{name}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}
