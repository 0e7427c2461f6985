//! Reads the documents again when they have changed.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::Consumers;
use crate::{
    config::Config,
    resources::{Resources, fingerprint},
};

/// How often the files are looked at. A change is taken when two looks saw the same: a file may be half written.
///
/// Looking works on every file system and for every way to replace a file; it costs a few system calls.
const LOOK: Duration = Duration::from_millis(500);

/// Reads again what has changed, until `stop`.
pub(crate) async fn watch(config: Arc<Config>, consumers: Arc<Consumers>, stop: CancellationToken) {
    let (mut taken, mut last) = (fingerprint(&config), None);
    loop {
        if stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return;
        }
        let seen = fingerprint(&config);
        if seen.is_some() && seen != taken && seen == last {
            reload(&config, &consumers).await;
            taken = seen.clone();
        }
        last = seen;
    }
}

/// Takes subscriptions and resiliency from the documents. When these cannot be served, what was before stays.
pub(crate) async fn reload(config: &Arc<Config>, consumers: &Consumers) {
    let read = tokio::task::spawn_blocking({
        let config = config.clone();
        move || Resources::read(&config)
    });
    let resources = match read.await {
        Ok(Ok(resources)) => resources,
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, cause, "changed files are not taken; what was before stays");
            return;
        }
        Err(error) => {
            tracing::error!(%error, "the files could not be read; what was before stays");
            return;
        }
    };
    match consumers.declare(resources.subscriptions, resources.resiliency).await {
        Ok(()) => tracing::info!("subscriptions and resiliency are as the files say now"),
        Err(error) => tracing::error!(%error, "changed files are not taken; what was before stays"),
    }
}
