//! What is shown, in this order: each claim finds what the ones before it left.

mod changes;
mod objects;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::Setting;

/// One claim.
pub(crate) struct Claim {
    pub(crate) name: &'static str,
    /// Whether it may be left out: the first makes what the others need.
    pub(crate) optional: bool,
    /// Shows it, and gives its figure.
    pub(crate) show: for<'setting> fn(&'setting Setting) -> LocalBoxFuture<'setting, Result<String>>,
}

/// All of them.
pub(crate) const ALL: [Claim; 3] = [
    Claim {
        name: "a release is installed, and a write through the API reaches its handler",
        optional: false,
        show: |setting| Box::pin(objects::install(setting)),
    },
    Claim {
        name: "SpinApps are Deployments and Services with Spin's arguments",
        optional: true,
        show: |setting| Box::pin(objects::arguments(setting)),
    },
    Claim {
        name: "an upgrade and a rollback fail no request",
        optional: true,
        show: |setting| Box::pin(changes::no_request_fails(setting)),
    },
];
