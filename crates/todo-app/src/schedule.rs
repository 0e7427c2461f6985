//! Messages that are published later.
//!
//! The application's jobs all come to one component, `reminders`, whatever made them. It knows its own by their names;
//! any other whose name begins with [`PREFIX`] carries a [`Message`], which is published when the job fires.

use dapr::{FailurePolicy, Job, JobRetry, Metadata, Transport, metadata_key};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{App, failure::Failure};

/// How the names of jobs begin that carry a [`Message`].
pub const PREFIX: &str = "later-";
/// The wait before a job that failed is tried again: a store that is away is seldom back sooner.
const RETRY_INTERVAL: &str = "10s";

/// What is published when its time has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// The topic.
    pub topic: String,
    /// Messages with the same key keep their order.
    pub key: String,
    /// The CloudEvent's type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The CloudEvent's data.
    pub data: Box<RawValue>,
}

impl Message {
    /// A message whose data is `data` as JSON.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] for data without a JSON form.
    pub fn new<D: Serialize>(topic: &str, key: &str, event_type: &str, data: &D) -> Result<Self, Failure> {
        let data = raw(topic, data)?;
        Ok(Self { topic: topic.to_owned(), key: key.to_owned(), event_type: event_type.to_owned(), data })
    }
}

impl<T: Transport> App<T> {
    /// Publishes a message at a time to come, as the event `id`. The same id again takes the place of the one before.
    /// What has passed is published at once.
    ///
    /// # Errors
    /// [`Failure::Sidecar`].
    pub async fn publish_later(&self, id: &str, at: Timestamp, message: &Message) -> Result<(), Failure> {
        let job = job(at, message)?;
        Ok(self.dapr.schedule_job(&format!("{PREFIX}{id}"), &job).await?)
    }

    /// Takes a message back that was to be published. One that is not there is no error.
    ///
    /// # Errors
    /// [`Failure::Sidecar`].
    pub async fn forget_later(&self, id: &str) -> Result<(), Failure> {
        Ok(self.dapr.delete_job(&format!("{PREFIX}{id}")).await?)
    }

    /// Publishes a message as the event `id`.
    ///
    /// # Errors
    /// [`Failure::Sidecar`].
    pub async fn publish_message(&self, id: &str, message: &Message) -> Result<(), Failure> {
        let metadata = Metadata::from([
            (metadata_key::PARTITION_KEY.to_owned(), message.key.clone()),
            ("cloudevent.id".to_owned(), id.to_owned()),
            ("cloudevent.type".to_owned(), message.event_type.clone()),
        ]);
        let json = message.data.get().as_bytes().to_vec();
        Ok(self.dapr.publish(&self.settings.pubsub, &message.topic, json, &metadata).await?)
    }
}

/// A job that fires once, with `data`, until it is taken; it takes the place of one of the same name.
///
/// # Errors
/// [`Failure::Corrupt`] for data without a JSON form.
pub(crate) fn job<D: Serialize>(at: Timestamp, data: &D) -> Result<Job, Failure> {
    let retry = JobRetry { interval: Some(RETRY_INTERVAL.to_owned()), max_retries: None };
    Ok(Job {
        due_time: Some(at.to_string()),
        data: Some(raw("a job", data)?),
        overwrite: true,
        failure_policy: Some(FailurePolicy::Constant(retry)),
        ..Job::default()
    })
}

fn raw<D: Serialize>(subject: &str, data: &D) -> Result<Box<RawValue>, Failure> {
    serde_json::value::to_raw_value(data)
        .map_err(|source| Failure::Corrupt { subject: format!("what `{subject}` carries"), source: source.into() })
}
