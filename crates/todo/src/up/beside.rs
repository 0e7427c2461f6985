//! The sidecar beside the components: one of this process's own, or one that runs already, such as daprd.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The sidecar beside the components.
pub(super) enum Beside {
    /// sidelet, in this process.
    Own(Box<sidelet::Running>),
    /// Any that serves Dapr's HTTP API, at this address.
    Given(String),
}

/// What the application is told for a sidecar that may be any: nothing that only sidelet has.
const ANY_SIDECAR: [(&str, &str); 2] = [("events", "publish"), ("updates_from", "poll")];

impl Beside {
    /// Its address, as `http://host:port`.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Own(sidecar) => format!("http://{}", sidecar.local_addr()),
            Self::Given(address) => address.clone(),
        }
    }

    /// Where its metrics are, if they are this process's.
    pub(super) fn metrics(&self) -> Option<SocketAddr> {
        match self {
            Self::Own(sidecar) => sidecar.metrics_addr(),
            Self::Given(_) => None,
        }
    }

    /// The application's variables that hang on the sidecar. What the environment says of them counts.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let said = |name: &str| std::env::var_os(format!("SPIN_VARIABLE_{}", name.to_uppercase())).is_some();
        match self {
            Self::Own(_) => BTreeMap::new(),
            Self::Given(_) => ANY_SIDECAR
                .into_iter()
                .filter(|(name, _)| !said(name))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    /// Ends when someone tells it to stop; one that is given stops alone.
    pub(super) async fn asked_to_stop(&self) {
        match self {
            Self::Own(sidecar) => sidecar.asked_to_stop().await,
            Self::Given(_) => std::future::pending().await,
        }
    }

    /// Ends what components read from it.
    pub(super) fn end_streams(&self) {
        if let Self::Own(sidecar) = self {
            sidecar.end_streams();
        }
    }

    /// Waits for deliveries in flight, and begins no more.
    pub(super) async fn stop_deliveries(&self, grace: Duration) {
        if let Self::Own(sidecar) = self {
            let _overdue = sidecar.stop_deliveries(grace).await;
        }
    }

    /// Ends it; one that is given goes on.
    pub(super) async fn shutdown(self, grace: Duration) {
        if let Self::Own(sidecar) = self {
            let _overdue = sidecar.shutdown(grace).await;
        }
    }
}
