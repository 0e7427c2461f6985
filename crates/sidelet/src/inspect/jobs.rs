//! Jobs that wait, and cron bindings.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    sidecar::Sidecar,
    store::{StoreError, now},
};

/// How long ago a job was due that is late, in milliseconds.
const LATE: i64 = 1000;

/// What is due, and when.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobsView {
    apps: Vec<AppView>,
    cron: Vec<CronView>,
}

/// The jobs of an app.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppView {
    app: String,
    /// How many there are.
    jobs: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<Timestamp>,
    /// Jobs whose time was more than a second ago, the first hundred.
    late: Vec<LateView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LateView {
    name: String,
    due: Timestamp,
}

/// A cron binding for an app.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CronView {
    binding: String,
    app: String,
    /// None: the app does not take it, or has not said so yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<Timestamp>,
}

/// The jobs of each app, and the bindings.
pub(crate) async fn jobs(sidecar: &Sidecar) -> Result<JobsView, StoreError> {
    let mut apps = Vec::new();
    for app in sidecar.jobs.apps() {
        let summary = sidecar.jobs.summary(app, now() - LATE).await?;
        let late = summary.late.into_iter().map(|job| LateView { name: job.name, due: time(job.due) });
        apps.push(AppView {
            app: app.to_owned(),
            jobs: summary.count,
            next_due: summary.next.map(time),
            late: late.collect(),
        });
    }
    let cron = sidecar.cron.tickers().iter().map(|ticker| CronView {
        binding: ticker.binding.clone(),
        app: ticker.app.clone(),
        next_due: ticker.due().map(time),
    });
    Ok(JobsView { apps, cron: cron.collect() })
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
