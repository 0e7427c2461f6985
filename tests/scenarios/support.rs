//! A clock that a test moves, and what it looks at meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{SeenEvent, Todo, User, eventually, with_daprd, within};

/// How long many events may take over daprd, where one follows the other.
const OVER_DAPRD: Duration = Duration::from_secs(600);

/// The clock of a process: as far from the machine's as the test says.
pub(crate) struct Clock {
    folder: tempfile::TempDir,
}

impl Clock {
    /// A clock that shows the machine's time.
    pub(crate) fn new() -> Result<Self> {
        let clock = Self { folder: tempfile::tempdir()? };
        clock.set(0)?;
        Ok(clock)
    }

    /// Shows a time so many seconds from the machine's; seen at once.
    pub(crate) fn set(&self, seconds: i64) -> Result<()> {
        // Moved into place, so that it is never read half written.
        let draft = self.folder.path().join("draft");
        std::fs::write(&draft, format!("{seconds:+}"))?;
        std::fs::rename(&draft, self.path()).context("the clock")
    }

    /// Shows this time now, and goes on from there.
    pub(crate) fn show(&self, instant: &str) -> Result<()> {
        let instant: Timestamp = instant.parse().context("an instant")?;
        self.set(instant.as_second() - Timestamp::now().as_second())
    }

    /// The variables of a process that goes by this clock.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("LD_PRELOAD", library()?.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.path().display().to_string()),
            // Deadlines run on the clock that only runs forwards, as on every machine.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
        ])
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("clock")
    }
}

/// The library that gives a process another clock, as Debian installs it.
fn library() -> Result<PathBuf> {
    let places = std::fs::read_dir("/usr/lib").context("/usr/lib")?.filter_map(Result::ok);
    let mut libraries = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.is_file()).context("libfaketime is missing: run `cargo xtask test`")
}

/// As [`eventually`], for what follows from many events.
pub(crate) async fn in_the_end<V>(what: &str, look: impl AsyncFnMut() -> Option<V>) -> Result<V> {
    if with_daprd() { within(OVER_DAPRD, what, look).await } else { eventually(what, look).await }
}

/// Checks that these are a user's first events, with none missing and none too many, in order.
///
/// Under daprd those of writers that meet, or of a process that was killed, come in any order.
pub(crate) fn are_the_first(seen: &[SeenEvent]) -> Result<()> {
    let mut sequences: Vec<u64> = seen.iter().map(|event| event.sequence).collect();
    if with_daprd() {
        sequences.sort_unstable();
    }
    ensure!(sequences.iter().copied().eq(1..=seen.len() as u64), "the events came as {sequences:?}");
    Ok(())
}

/// When a job is to fire first; `None` when there is no such job.
pub(crate) async fn job_time(todo: &Todo, name: &str) -> Result<Option<String>> {
    let job = todo.call_sidecar(Method::GET, &format!("/v1.0/jobs/{name}"), None).await?;
    // daprd answers 500 where there is no such job.
    let is_absent = with_daprd()
        && job.body["errorCode"] == "DAPR_SCHEDULER_GET_JOB"
        && job.body["message"].as_str().is_some_and(|message| message.contains("not found"));
    if job.status == 404 || is_absent {
        return Ok(None);
    }
    Ok(job.expect(200)?["dueTime"].as_str().map(str::to_owned))
}

/// Waits until a job is to fire at this time, or until it is gone.
pub(crate) async fn job_is(todo: &Todo, name: &str, time: Option<&str>) -> Result<()> {
    let what = format!("the job `{name}` at {time:?}");
    eventually(&what, async || (job_time(todo, name).await.ok()?.as_deref() == time).then_some(())).await
}

/// What was published to the topic `reminders` for a user.
pub(crate) async fn reminded(user: &User) -> Option<Vec<Value>> {
    let told = user.get(&format!("/recorder/reminders/{}", user.id)).await.ok()?.expect(200).ok()?;
    told.as_array().cloned()
}

/// Waits until so many were published, and gives them.
pub(crate) async fn reminded_of(user: &User, count: usize) -> Result<Vec<Value>> {
    eventually(&format!("{count} reminders"), async || reminded(user).await.filter(|told| told.len() >= count)).await
}

/// A reminder as the sidecar delivers it, the `number`th of a user.
pub(crate) fn reminder(user: &User, number: u32, title: &str) -> Value {
    let id = format!("0190163d-8694-739b-aea5-{number:012x}");
    json!({
        "id": id, "source": "todo", "specversion": "1.0", "type": "todo.reminder", "topic": "reminders",
        "data": {
            "reminderId": id, "taskId": id, "userId": user.id, "dueTime": "2030-03-01", "status": "pending",
            "title": title, "remindAt": "2030-01-01T00:00:00Z",
        },
    })
}
