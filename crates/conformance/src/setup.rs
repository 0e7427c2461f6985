//! How the sidecar of a case is started.

use std::path::Path;

use anyhow::{Context, Result};
use backends::DaprdOptions;
use serde_json::{Value, json};

use crate::case::Case;
use crate::stores::Component;

/// What differs from the usual start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setup {
    /// One sidecar for all cases.
    Usual,
    /// Tokens both ways; one sidecar.
    Tokens,
    /// Nobody listens where the app should be; one sidecar.
    NoApp,
    /// An outbox, and a sidecar for each case.
    Outbox,
    /// A sidecar for each case, since it ends.
    Ends,
}

/// The token of callers.
pub(crate) const API_TOKEN: &str = "callers-token";
/// The token that the app is shown.
pub(crate) const APP_TOKEN: &str = "apps-token";

impl Setup {
    pub(crate) const ALL: [Self; 5] = [Self::Usual, Self::Tokens, Self::NoApp, Self::Outbox, Self::Ends];

    /// Whether each case has a sidecar of its own.
    pub(crate) fn is_for_one(self) -> bool {
        matches!(self, Self::Outbox | Self::Ends)
    }

    /// Whether there is an app.
    pub(crate) fn has_app(self) -> bool {
        self != Self::NoApp
    }

    /// Writes the resources for some cases into a folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write(self, folder: &Path, cases: &[Case], mut components: Vec<Component>, app: u16) -> Result<()> {
        let secrets = folder.join("secrets.json");
        std::fs::write(&secrets, json!({ "plain": "a secret", "outer": { "inner": "another" } }).to_string())?;
        if self == Self::Outbox {
            let metadata = components[0].metadata.as_object_mut().context("metadata is an object")?;
            metadata.insert("outboxPublishPubsub".into(), json!("pubsub"));
            metadata.insert("outboxPublishTopic".into(), json!(cases[0].name()));
        }
        let app = format!("http://127.0.0.1:{app}");
        components.push(Component::new("secrets", "secretstores.local.file", json!({ "secretsFile": secrets })));
        components.push(Component::new("variables", "secretstores.local.env", json!({ "prefix": "SUITE_" })));
        components.push(Component::new("http", "bindings.http", json!({ "url": app })));
        for (name, schedule) in [("cron-often", "@every 1s"), ("cron-six", "*/1 * * * * *")] {
            let metadata = json!({ "schedule": schedule, "direction": "input" });
            components.push(Component::new(name, "bindings.cron", metadata));
        }
        let routed = json!({ "schedule": "@every 1s", "route": "/cron-elsewhere", "direction": "input" });
        components.push(Component::new("cron-routed", "bindings.cron", routed));
        let subscriptions = cases.iter().flat_map(|case| case.declarative.iter().map(move |spec| (case.name(), spec)));
        let documents = components.iter().map(Component::document).chain(subscriptions.enumerate().map(subscription));
        for (number, document) in documents.enumerate() {
            // A file for each: daprd does not read every kind of document behind another one.
            std::fs::write(folder.join(format!("{number}.yaml")), document.to_string())
                .context("could not write resources")?;
        }
        Ok(())
    }

    /// What differs in how the program is started.
    pub(crate) fn options(self, options: &mut DaprdOptions) {
        options.environment.push(("SUITE_VARIABLE".into(), "from the environment".into()));
        match self {
            Self::Tokens => {
                options.environment.push(("DAPR_API_TOKEN".into(), API_TOKEN.into()));
                options.environment.push(("APP_API_TOKEN".into(), APP_TOKEN.into()));
            }
            Self::Ends => options.arguments.push("--dapr-graceful-shutdown-seconds=5".into()),
            Self::Usual | Self::NoApp | Self::Outbox => {}
        }
    }
}

fn subscription((number, (name, spec)): (usize, (String, &Value))) -> Value {
    let version = if spec.get("routes").is_some() { "dapr.io/v2alpha1" } else { "dapr.io/v1alpha1" };
    json!({
        "apiVersion": version,
        "kind": "Subscription",
        "metadata": { "name": format!("{name}-{number}") },
        "spec": spec,
        "scopes": ["conformance"],
    })
}
