//! What is done when something fails: how long it may take, how often it is tried again, and when it is left alone.
//!
//! A target of a `Resiliency` document has a [`Policy`] of up to three named parts. One that no document names has the
//! defaults that a document gives by name (`DefaultPubsubComponentInboundRetryPolicy`, ...), or none.

mod breaker;
mod guard;
mod retry;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

pub(crate) use breaker::{Allowance, Breaker, COUNTS, Trip};
pub(crate) use guard::{Fault, Guard, Guards};
pub(crate) use retry::{Retry, Waits};

/// What applies to one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Policy {
    /// How long one try may take.
    pub(crate) timeout: Option<Duration>,
    /// Whether and when it is tried again.
    pub(crate) retry: Option<Retry>,
    /// When nothing is tried for a while.
    pub(crate) breaker: Option<Trip>,
}

/// What a component is, by which its defaults are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    State,
    PubSub,
    Binding,
    Secrets,
}

/// Policies by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Named {
    /// `policies.timeouts`
    pub(crate) timeouts: BTreeMap<String, Duration>,
    /// `policies.retries`
    pub(crate) retries: BTreeMap<String, Retry>,
    /// `policies.circuitBreakers`
    pub(crate) breakers: BTreeMap<String, Trip>,
}

/// Everything that the documents say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Resiliency {
    /// Every policy of every document, for the defaults.
    pub(crate) named: Named,
    /// What comes from a component and goes to an app, by component.
    pub(crate) inbound: BTreeMap<String, Policy>,
    /// What a component is asked to do, by component.
    pub(crate) outbound: BTreeMap<String, Policy>,
    /// What is invoked, by app.
    pub(crate) apps: BTreeMap<String, Policy>,
}

impl Resiliency {
    /// For deliveries from a pub/sub component.
    pub(crate) fn delivery(&self, pubsub: &str) -> Policy {
        let default = || self.by_default(&["PubsubComponentInbound", "ComponentInbound", "Component", ""]);
        self.inbound.get(pubsub).cloned().unwrap_or_else(default)
    }

    /// For what a component is asked to do.
    pub(crate) fn outbound(&self, kind: Kind, component: &str) -> Policy {
        let own = match kind {
            Kind::State => "StatestoreComponentOutbound",
            Kind::PubSub => "PubsubComponentOutbound",
            Kind::Binding => "BindingComponentOutbound",
            Kind::Secrets => "SecretstoreComponentOutbound",
        };
        let default = || self.by_default(&[own, "ComponentOutbound", "Component", ""]);
        self.outbound.get(component).cloned().unwrap_or_else(default)
    }

    /// For invocations of an app.
    pub(crate) fn invocation(&self, app: &str) -> Policy {
        self.apps.get(app).cloned().unwrap_or_else(|| self.by_default(&["App", ""]))
    }

    fn by_default(&self, levels: &[&str]) -> Policy {
        fn first<T: Clone>(named: &BTreeMap<String, T>, levels: &[&str], kind: &str) -> Option<T> {
            levels.iter().find_map(|level| named.get(&format!("Default{level}{kind}Policy")).cloned())
        }
        Policy {
            timeout: first(&self.named.timeouts, levels, "Timeout"),
            retry: first(&self.named.retries, levels, "Retry"),
            breaker: first(&self.named.breakers, levels, "CircuitBreaker"),
        }
    }
}

/// A number from 0 to 1 by chance, so that waits that begin together do not end together.
pub(crate) fn jitter() -> f64 {
    let random = RandomState::new().hash_one(0_u8) % 1024;
    f64::from(u32::try_from(random).expect("below 1024")) / 1024.0
}
