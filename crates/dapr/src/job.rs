//! Jobs: calls of `POST /job/{name}` at a time to come.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A job as it is made.
///
/// Without a schedule it fires once, at `due_time`; with one, from `due_time` on.
/// Fields that are not named here are ignored, as by Dapr.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Job {
    /// Six-field cron with seconds, `@every 5m`, or `@daily` and its like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// When it fires first: RFC 3339, or a duration from now. What has passed fires at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_time: Option<String>,
    /// How often it fires at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
    /// When it ends: RFC 3339, or a duration from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// What the app is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Whether it takes the place of one of the same name; otherwise that is a conflict.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// What becomes of a call that the app did not take. Absent: three more, a second apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_policy: Option<FailurePolicy>,
}

/// What becomes of a call that the app did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailurePolicy {
    /// It is given up.
    Drop {},
    /// It is made again.
    Constant(JobRetry),
}

/// When a call is made again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobRetry {
    /// The wait before each, such as `10s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// How often at most; without end when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_the_form_that_dapr_documents() {
        let job = Job {
            due_time: Some("2026-03-01T09:00:00Z".into()),
            data: Some(RawValue::from_string("{\"a\":1}".into()).unwrap()),
            overwrite: true,
            failure_policy: Some(FailurePolicy::Constant(JobRetry { interval: Some("10s".into()), max_retries: None })),
            ..Job::default()
        };
        let text = r#"{"dueTime":"2026-03-01T09:00:00Z","data":{"a":1},"overwrite":true,"failurePolicy":{"constant":{"interval":"10s"}}}"#;
        assert_eq!(serde_json::to_string(&job).unwrap(), text);
        let read: Job = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        let drop: FailurePolicy = serde_json::from_str(r#"{"drop":{}}"#).unwrap();
        assert_eq!(drop, FailurePolicy::Drop {});
    }
}
