//! The jobs API.

use dapr::code;
use http::StatusCode;
use serde_json::{json, value::RawValue};

use super::{
    answer::{Answer, Refusal, empty, json as json_answer},
    request::Call,
};
use crate::{
    jobs::{CreateError, InvalidJob, NewJob},
    sidecar::Sidecar,
    store::now,
};

/// By which a caller says whose job is meant where a sidecar has many apps.
const CALLER: &str = "dapr-caller-app-id";

/// Makes a job: 204 when it is on the disk.
pub(super) async fn schedule_job(sidecar: &Sidecar, name: &str, call: &mut Call) -> Result<Answer, Refusal> {
    let app = app(sidecar, call)?;
    let body = call.body(sidecar).await?;
    let job = NewJob::read(name, &body, now()).map_err(invalid)?;
    match sidecar.jobs.create(app, job).await {
        Ok(()) => Ok(empty()),
        Err(error @ CreateError::Exists(_)) => {
            Err(refuse(StatusCode::CONFLICT, code::SCHEDULER_SCHEDULE_JOB, error.to_string()))
        }
        Err(error @ CreateError::Full) => {
            Err(refuse(StatusCode::TOO_MANY_REQUESTS, code::SCHEDULER_SCHEDULE_JOB, error.to_string()))
        }
        Err(CreateError::Store(error)) => {
            Err(Refusal::store(error, code::SCHEDULER_SCHEDULE_JOB, "failed to schedule job"))
        }
    }
}

/// Answers what is known of a job.
pub(super) async fn get_job(sidecar: &Sidecar, name: &str, call: &Call) -> Result<Answer, Refusal> {
    let job = sidecar.jobs.get(app(sidecar, call)?, name).await;
    let job = job.map_err(|error| Refusal::store(error, code::SCHEDULER_GET_JOB, "failed to get job"))?;
    let Some(job) = job else {
        let message = format!("failed to get job due to: there is no job `{name}`");
        return Err(refuse(StatusCode::NOT_FOUND, code::SCHEDULER_GET_JOB, message));
    };
    let mut body = json!({ "name": job.name });
    let terms = serde_json::to_value(&job.terms).expect("terms are JSON");
    if let (Some(body), serde_json::Value::Object(terms)) = (body.as_object_mut(), terms) {
        body.extend(terms);
    }
    // The data keeps its numbers and the order of its keys.
    let mut text = body.to_string();
    text.pop();
    let data = RawValue::from_string(job.data).map_or_else(|_| "null".to_owned(), |data| data.get().to_owned());
    Ok(json_answer(StatusCode::OK, format!("{text},\"data\":{data}}}")))
}

/// Removes a job, which may be absent.
pub(super) async fn delete_job(sidecar: &Sidecar, name: &str, call: &Call) -> Result<Answer, Refusal> {
    let deleted = sidecar.jobs.delete(app(sidecar, call)?, name).await;
    deleted.map_err(|error| Refusal::store(error, code::SCHEDULER_DELETE_JOB, "failed to delete job"))?;
    Ok(empty())
}

fn app<'sidecar>(sidecar: &'sidecar Sidecar, call: &Call) -> Result<&'sidecar str, Refusal> {
    sidecar.jobs.app(call.header(CALLER)).map_err(|error| Refusal::malformed(format!("`{CALLER}`: {error}")))
}

fn invalid(error: InvalidJob) -> Refusal {
    let code = match &error {
        InvalidJob::Body(_) => return Refusal::malformed(error.to_string()),
        InvalidJob::NoName => code::SCHEDULER_JOB_NAME_EMPTY,
        InvalidJob::Name | InvalidJob::NameInBody => code::SCHEDULER_JOB_NAME,
        InvalidJob::NoSchedule => code::SCHEDULER_SCHEDULE_EMPTY,
        InvalidJob::Terms(_) => code::SCHEDULER_SCHEDULE_JOB,
    };
    refuse(StatusCode::BAD_REQUEST, code, error.to_string())
}

/// Dapr's codes of the jobs API are their own reasons.
fn refuse(status: StatusCode, code: &'static str, message: String) -> Refusal {
    Refusal::new(status, code, message).because(code)
}
