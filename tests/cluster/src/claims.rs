//! What is shown, in this order: each claim finds what the ones before it left.

mod accepted;
mod changes;
mod losses;
mod objects;
mod replicas;
mod secrets;
mod shim;
mod waking;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::Setting;

/// One claim.
pub(crate) struct Claim {
    pub(crate) name: &'static str,
    pub(crate) when: When,
    /// Shows it, and gives its figure.
    pub(crate) show: for<'setting> fn(&'setting Setting) -> LocalBoxFuture<'setting, Result<String>>,
}

/// When a claim is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Always: it makes what others need.
    Always,
    /// Unless others are asked for.
    Asked,
    /// As [`When::Asked`], where nodes have a shim.
    Shim,
}

/// A function as a claim.
macro_rules! claim {
    ($when:ident, $name:literal, $show:path) => {
        Claim { name: $name, when: When::$when, show: |setting| Box::pin($show(setting)) }
    };
}

/// All of them.
pub(crate) const ALL: &[Claim] = &[
    claim!(Asked, "every profile and every folder is accepted, field by field", accepted::all),
    claim!(Always, "a release is installed, and a write through the API reaches its handler", objects::install),
    claim!(Asked, "SpinApps are Deployments and Services with Spin's arguments", objects::arguments),
    claim!(Asked, "the chart's own test passes", objects::test),
    claim!(Asked, "sidelet reads its own Secret and no other", secrets::own_alone),
    claim!(Asked, "an upgrade and a rollback fail no request", changes::no_request_fails),
    claim!(Asked, "the first event wakes a handler that sidelet tells of, and it sleeps again", waking::by_push),
    claim!(Asked, "the first event wakes a handler by its lag on Kafka, and it sleeps again", waking::by_lag),
    claim!(Asked, "sixty events that wait bring three pods of a handler", replicas::three),
    claim!(Asked, "a sidelet that is deleted or killed loses nothing", losses::nothing),
    claim!(Asked, "an uninstall leaves nothing behind", objects::uninstall),
    claim!(Shim, "on the nodes' shim a release is installed, and a write reaches its handler", shim::install),
];
