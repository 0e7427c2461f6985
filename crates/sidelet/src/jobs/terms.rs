//! What a caller says of a job, and what is stored of it.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    moment::{go_duration, point_in_time},
    schedule::{Fields, Schedule},
};

/// The longest name: the path of a call has to hold it.
const NAME: usize = 512;
/// The longest data; the store of Dapr's scheduler takes some 1.5 MiB.
const DATA: usize = 1 << 20;
/// The longest due time, time to live or interval.
const TIME: usize = 100;
/// The longest wait of a failure policy, in milliseconds: a day.
const INTERVAL: i64 = 86_400_000;

/// A job that can be stored.
#[derive(Debug)]
pub(crate) struct NewJob {
    /// Unique among the jobs of an app.
    pub(crate) name: String,
    /// The first tick, in Unix milliseconds.
    pub(crate) due: i64,
    /// No tick is later.
    pub(crate) expires: Option<i64>,
    /// What the caller said.
    pub(crate) terms: Terms,
    /// JSON, as it was written.
    pub(crate) data: String,
    /// Whether it may take the place of a job of the same name.
    pub(crate) overwrite: bool,
}

/// What a caller said of when, as `GET` answers it: times are as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Terms {
    /// When it is due again and again. None: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<String>,
    /// When it is due first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due_time: Option<String>,
    /// How often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeats: Option<u32>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ttl: Option<String>,
    /// What happens when the app fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_policy: Option<FailurePolicy>,
}

/// What happens when the app fails on a tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FailurePolicy {
    /// The tick is over.
    Drop {},
    /// The app is asked again.
    #[serde(rename_all = "camelCase")]
    Constant {
        /// The wait, as Go writes durations. None: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interval: Option<String>,
        /// How often. None: without end.
        #[serde(default, alias = "max_retries", skip_serializing_if = "Option::is_none")]
        max_retries: Option<u32>,
    },
}

/// Why a job is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidJob {
    /// It has no name.
    #[error("Name is empty")]
    NoName,
    /// It cannot be named so.
    #[error("a job's name has {NAME} bytes at most, no control characters and no `|`, and is neither `.` nor `..`")]
    Name,
    /// The body names it too.
    #[error("Set the job name in the url only")]
    NameInBody,
    /// It says neither when nor how often.
    #[error("Schedule is empty")]
    NoSchedule,
    /// The body is not what it has to be.
    #[error("failed to unmarshal the job: {0}")]
    Body(String),
    /// Something in it cannot be served.
    #[error("failed to schedule job due to: {0}")]
    Terms(String),
}

/// As Dapr's, whose JSON may have the names of its protocol's definition as well.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'body> {
    name: Option<String>,
    schedule: Option<String>,
    #[serde(alias = "due_time")]
    due_time: Option<String>,
    repeats: Option<u32>,
    ttl: Option<String>,
    #[serde(alias = "failure_policy")]
    failure_policy: Option<FailurePolicy>,
    overwrite: Option<bool>,
    #[serde(borrow)]
    data: Option<&'body RawValue>,
}

impl NewJob {
    /// Reads the body of a call that makes the job `name` at `now`.
    pub(crate) fn read(name: &str, body: &[u8], now: i64) -> Result<Self, InvalidJob> {
        let name = name.trim();
        if name.is_empty() {
            return Err(InvalidJob::NoName);
        }
        if name.len() > NAME
            || name.contains(|letter: char| letter == '|' || letter.is_control())
            || [".", ".."].contains(&name)
        {
            return Err(InvalidJob::Name);
        }
        let body: Body<'_> = serde_json::from_slice(body).map_err(|error| InvalidJob::Body(error.to_string()))?;
        if body.name.is_some_and(|name| !name.is_empty()) {
            return Err(InvalidJob::NameInBody);
        }
        let data = body.data.map_or("null", RawValue::get);
        if data.len() > DATA {
            return Err(InvalidJob::Terms(format!("the data is longer than {DATA} bytes")));
        }
        let terms = Terms {
            schedule: body.schedule.filter(|text| !text.is_empty()),
            due_time: body.due_time.filter(|text| !text.is_empty()),
            repeats: body.repeats,
            ttl: body.ttl.filter(|text| !text.is_empty()),
            failure_policy: body.failure_policy,
        };
        let (due, expires) = terms.begin(now)?;
        Ok(Self {
            name: name.to_owned(),
            due,
            expires,
            terms,
            data: data.to_owned(),
            overwrite: body.overwrite.unwrap_or(false),
        })
    }
}

impl Terms {
    /// The first tick, and the last moment for one.
    fn begin(&self, now: i64) -> Result<(i64, Option<i64>), InvalidJob> {
        let refuse = |reason: String| Err(InvalidJob::Terms(reason));
        let schedule = match &self.schedule {
            Some(text) => Some(parse(text).map_err(|error| InvalidJob::Terms(error.to_string()))?),
            None if self.due_time.is_none() => return Err(InvalidJob::NoSchedule),
            None if self.repeats.is_some_and(|repeats| repeats > 1) => {
                return refuse("`repeats` needs a `schedule` beside it".into());
            }
            None if self.ttl.is_some() => return refuse("`ttl` needs a `schedule` beside it".into()),
            None => None,
        };
        if self.repeats == Some(0) {
            return refuse("`repeats` is 0; expected 1 or more".into());
        }
        let due = match (&self.due_time, &schedule) {
            (Some(text), _) => time("dueTime", text, now)?,
            (None, Some(schedule)) => schedule.next(now, now).ok_or(InvalidJob::NoSchedule)?,
            (None, None) => return Err(InvalidJob::NoSchedule),
        };
        let start = if self.due_time.is_some() { due } else { now };
        let expires = self.ttl.as_ref().map(|text| time("ttl", text, start)).transpose()?;
        if let Some(expires) = expires
            && expires < due
        {
            return refuse("`ttl` ends before the job is due first".into());
        }
        if let Some(FailurePolicy::Constant { interval: Some(text), .. }) = &self.failure_policy
            && go_duration(text).is_none_or(|interval| !(0..=INTERVAL).contains(&interval))
        {
            return refuse(format!(
                "`failurePolicy` has the interval `{}`; expected `10s` or another one up to `24h`",
                cut(text)
            ));
        }
        Ok((due, expires))
    }

    /// The tick after `tick`, which was served at `now` and was the job's `fired`th. None: it was the last.
    pub(crate) fn next(&self, tick: i64, now: i64, fired: u32, expires: Option<i64>) -> Option<i64> {
        if self.repeats.is_some_and(|repeats| fired >= repeats) {
            return None;
        }
        let schedule = parse(self.schedule.as_ref()?).ok()?;
        schedule.next(tick, now).filter(|next| expires.is_none_or(|expires| *next <= expires))
    }

    /// The wait in milliseconds before another try after so many failures of a tick. None: the tick is over.
    pub(crate) fn wait(&self, failures: u32) -> Option<i64> {
        match &self.failure_policy {
            // Dapr's own.
            None => (failures <= 3).then_some(1000),
            Some(FailurePolicy::Drop {}) => None,
            Some(FailurePolicy::Constant { interval, max_retries }) => {
                let interval = interval.as_deref().and_then(go_duration).unwrap_or(0);
                max_retries.is_none_or(|most| failures <= most).then_some(interval)
            }
        }
    }
}

/// Jobs are due by Coordinated Universal Time, as Dapr's scheduler reckons, unless they name a zone.
fn parse(schedule: &str) -> Result<Schedule, super::schedule::InvalidSchedule> {
    Schedule::parse(schedule, Fields::Six, &TimeZone::UTC)
}

fn time(field: &str, text: &str, start: i64) -> Result<i64, InvalidJob> {
    let point = if text.len() > TIME { None } else { point_in_time(text, start) };
    point.ok_or_else(|| {
        InvalidJob::Terms(format!(
            "`{field}` is `{}`; expected a time such as `2026-12-09T16:09:53Z`, or a duration such as `1h30m` or `PT1H30M`",
            cut(text)
        ))
    })
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(TIME).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<NewJob, InvalidJob> {
        NewJob::read("j", body.as_bytes(), 1_000)
    }

    #[test]
    fn a_job_is_due_first_at_its_due_time_or_by_its_schedule() {
        for (body, due, expires) in [
            (r#"{"dueTime":"5s"}"#, 6_000, None),
            (r#"{"due_time":"-5s"}"#, -4_000, None),
            (r#"{"schedule":"@every 10s"}"#, 11_000, None),
            (r#"{"schedule":"@every 10s","dueTime":"1s","ttl":"30s"}"#, 2_000, Some(32_000)),
            (r#"{"schedule":"@every 10s","ttl":"30s","dueTime":null}"#, 11_000, Some(31_000)),
            (r#"{"schedule":"0 * * * * *","name":"","unknown":[1]}"#, 60_000, None),
        ] {
            let job = read(body).unwrap();
            assert_eq!(
                (job.due, job.expires, job.data.as_str(), job.overwrite),
                (due, expires, "null", false),
                "{body}"
            );
        }
        let job = read(r#"{"dueTime":"1s","data": {"a" : 1e400} ,"overwrite":true}"#).unwrap();
        assert_eq!((job.data.as_str(), job.overwrite), (r#"{"a" : 1e400}"#, true));
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for (body, expected) in [
            ("{}", "Schedule is empty"),
            (r#"{"repeats":1}"#, "Schedule is empty"),
            (r#"{"name":"x","dueTime":"1s"}"#, "Set the job name in the url only"),
            ("[]", "failed to unmarshal"),
            ("", "failed to unmarshal"),
            (r#"{"dueTime":"soon"}"#, "`dueTime` is `soon`; expected a time"),
            (r#"{"dueTime":"1s","repeats":2}"#, "`repeats` needs a `schedule`"),
            (r#"{"dueTime":"1s","ttl":"2s"}"#, "`ttl` needs a `schedule`"),
            (r#"{"schedule":"@daily","repeats":0}"#, "`repeats` is 0"),
            (r#"{"schedule":"@daily","dueTime":"2s","ttl":"-1s"}"#, "`ttl` ends before"),
            (r#"{"schedule":"30 9 * * *"}"#, "the schedule `30 9 * * *` is none"),
            (r#"{"dueTime":"1s","failurePolicy":{"constant":{"interval":"25h"}}}"#, "the interval `25h`"),
            (r#"{"dueTime":"1s","failurePolicy":{"never":{}}}"#, "failed to unmarshal"),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
        for name in ["", "  ", "a|b", ".", "..", "a\nb", &"a".repeat(513)] {
            assert!(NewJob::read(name, br#"{"dueTime":"1s"}"#, 0).is_err(), "{name}");
        }
    }

    #[test]
    fn repeats_and_the_time_to_live_end_a_job() {
        let terms = read(r#"{"schedule":"@every 10s","repeats":3}"#).unwrap().terms;
        assert_eq!(terms.next(11_000, 11_005, 2, None), Some(21_000));
        assert_eq!(terms.next(11_000, 11_005, 3, None), None);
        assert_eq!(terms.next(11_000, 58_000, 1, Some(61_000)), Some(61_000));
        assert_eq!(terms.next(11_000, 58_000, 1, Some(60_999)), None);
        assert_eq!(read(r#"{"dueTime":"1s"}"#).unwrap().terms.next(0, 0, 1, None), None);
    }

    #[test]
    fn a_failure_policy_says_how_often_the_app_is_asked_again() {
        let waits = |policy: &str| {
            let terms = read(&format!(r#"{{"dueTime":"1s"{policy}}}"#)).unwrap().terms;
            (1..=5).map_while(|failures| terms.wait(failures)).collect::<Vec<_>>()
        };
        assert_eq!(waits(""), [1000; 3]);
        assert_eq!(waits(r#","failurePolicy":{"drop":{}}"#), [0; 0]);
        assert_eq!(waits(r#","failurePolicy":{"constant":{"interval":"2s","maxRetries":2}}"#), [2000; 2]);
        assert_eq!(waits(r#","failure_policy":{"constant":{"interval":"1.5s"}}"#), [1500; 5]);
        assert_eq!(waits(r#","failurePolicy":{"constant":{}}"#), [0; 5]);
    }
}
