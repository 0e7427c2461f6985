//! Changes under people who go on working.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use backends::within;
use reqwest::Method;
use tokio::time::{MissedTickBehavior, interval};

use super::objects::api;
use crate::{
    Setting,
    cluster::PATIENCE,
    people::{User, found_nobody},
    release::NAME,
};

/// How often the client asks.
const PERIOD: Duration = Duration::from_millis(50);

/// How often one request is tried where no connection comes about.
const TRIES: usize = 10;

/// What became of the requests of a client.
#[derive(Debug, Default)]
struct Polled {
    answered: usize,
    /// Connections that nobody took. SpinKube gives pods no time between the end of their place in the Service and their
    /// own end, so that the node leads to nobody for a moment; whoever stands in front, as an ingress, tries again.
    tried_again: usize,
    failures: Vec<String>,
}

/// Asks again and again, until it is told to stop.
async fn poll(user: User, stop: Arc<AtomicBool>) -> Polled {
    let (mut polled, mut ticks) = (Polled::default(), interval(PERIOD));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        let mut tries = 0;
        loop {
            ticks.tick().await;
            tries += 1;
            match user.ask(Method::GET, "/api/tasks", None).await {
                Ok(_) => polled.answered += 1,
                Err(error) if found_nobody(&error) && tries < TRIES => {
                    polled.tried_again += 1;
                    continue;
                }
                Err(error) => polled.failures.push(format!("{error:#}")),
            }
            break;
        }
    }
    polled
}

/// Every pod of the release is replaced, and replaced again.
pub(super) async fn no_request_fails(setting: &Setting) -> Result<String> {
    let user = api(setting).await?.sign_up("poll").await?;
    user.create("Be there").await?;
    let stop = Arc::<AtomicBool>::default();
    let client = tokio::spawn(poll(user, stop.clone()));
    let begin = Instant::now();
    let changed = async {
        // Variables are part of the pods; so are the sidecar's arguments.
        setting.release.apply(&["settings.writesPerMinute=601", "sidelet.logLevel=debug"]).await?;
        settled(setting).await?;
        let upgraded = begin.elapsed();
        setting.release.roll_back().await?;
        settled(setting).await?;
        anyhow::Ok(upgraded)
    };
    let changed = changed.await;
    let all = begin.elapsed();
    stop.store(true, Ordering::Relaxed);
    let (Polled { answered, tried_again, failures }, upgraded) = (client.await?, changed?);
    ensure!(failures.is_empty(), "{} of {} requests failed: {failures:#?}", failures.len(), failures.len() + answered);
    Ok(format!(
        "{answered} requests in {all:.0?}, of which the upgrade took {upgraded:.0?}; 0 failed, {tried_again} connections tried again"
    ))
}

/// Waits until the pods of now are those that were last asked for, also where SpinKube makes them after Helm has ended.
async fn settled(setting: &Setting) -> Result<()> {
    for name in [NAME, "todo-sidelet"] {
        let replaced = async || {
            let apps = setting.cluster.get(&["deployment", name]).await.ok()?;
            let status = &apps["status"];
            let seen = apps["metadata"]["generation"] == status["observedGeneration"];
            let new = status["updatedReplicas"] == status["replicas"] && status["readyReplicas"] == status["replicas"];
            (seen && new && status["unavailableReplicas"].is_null()).then_some(())
        };
        within(PATIENCE, &format!("the pods of `{name}` are replaced"), replaced).await?;
    }
    Ok(())
}
