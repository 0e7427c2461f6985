//! The YAML files: which components and subscriptions there are.
//!
//! Everything is read and checked here, before a store or a port opens.
//! What cannot be served is refused with the file, the document, the key, the value and the accepted form.

mod binding;
mod component;
mod configuration;
mod cron;
mod document;
#[cfg(feature = "kafka")]
mod kafka;
mod metadata;
mod resiliency;
mod state;
mod subscription;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use crate::{bindings::Output, config::Config, error::StartError, resiliency::Resiliency, secrets::SecretStore};

pub(crate) use component::{Component, Settings};
pub(crate) use configuration::{ApiGroup, ApiLog, Configuration, MetricsSettings};
pub(crate) use cron::CronSettings;
pub(crate) use state::{Keeper, KeyPrefix, StateSettings, Target};
pub(crate) use subscription::{Bulk, Origin, Route, Subscription, read_answer};

use document::Document;
use resiliency::Draft;

/// Secret stores by name.
pub(crate) type SecretStores = BTreeMap<String, Arc<SecretStore>>;

/// What the files say, for the apps of this process.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    /// What the configuration file says.
    pub(crate) configuration: Configuration,
    /// Secret stores first, then the others in the order of the files.
    pub(crate) components: Vec<Component>,
    /// What the components that are secret stores hold.
    pub(crate) secret_stores: SecretStores,
    /// In the order of the files.
    pub(crate) subscriptions: Vec<Subscription>,
    /// Of all documents together.
    pub(crate) resiliency: Resiliency,
}

impl Resources {
    /// Reads the files that `config` names.
    pub(crate) fn read(config: &Config) -> Result<Self, StartError> {
        let configuration = Configuration::read(&config.configuration)?;
        let mut resources = Self { configuration, ..Self::default() };
        let (mut documents, mut drafts) = (Vec::new(), Vec::new());
        for file in files(&config.resources)? {
            documents.extend(Document::read_all(&file)?);
        }
        // Others may refer to what they hold.
        let is_store = |document: &Document| document.component_type().0.starts_with("secretstores.");
        let (stores, others): (Vec<_>, Vec<_>) = documents.into_iter().partition(is_store);
        for document in stores.into_iter().chain(others) {
            resources.add(document, &mut drafts, config)?;
        }
        resources.resiliency = resiliency::join(drafts)?;
        resources.check()?;
        Ok(resources)
    }

    fn add(&mut self, document: Document, drafts: &mut Vec<Draft>, config: &Config) -> Result<(), StartError> {
        if !document.in_scope(config) {
            tracing::info!(resource = %document, "a resource is for other apps");
            return Ok(());
        }
        match document.kind.as_str() {
            "Component" => {
                let (kind, version) = document.component_type();
                if self.configuration.denies(kind, version) {
                    tracing::warn!(resource = %document, kind, "the configuration denies components of this type");
                    return Ok(());
                }
                let component = Component::read(document, config, &self.secret_stores)?;
                if let Settings::Secrets(secrets) = &component.settings {
                    self.secret_stores.insert(component.name.clone(), secrets.store.clone());
                }
                self.components.push(component);
            }
            "Subscription" => self.subscriptions.push(Subscription::read(document, config)?),
            "Resiliency" => drafts.push(Draft::read(document)?),
            _ => tracing::warn!(resource = %document, "a resource of this kind is not served and has no effect"),
        }
        Ok(())
    }

    /// What only all files together can show.
    fn check(&self) -> Result<(), StartError> {
        let mut names = BTreeSet::new();
        for component in &self.components {
            if !names.insert(&component.name) {
                return Err(component.location.refuse(format!(
                    "the component name `{}` is taken by a document before; names are unique",
                    component.name
                )));
            }
        }
        let mut names = BTreeSet::new();
        for subscription in &self.subscriptions {
            let Origin::Declared(location) = &subscription.origin else { continue };
            if !names.insert(&subscription.name) {
                return Err(location.refuse(format!(
                    "the subscription name `{}` is taken by a document before; names are unique",
                    subscription.name
                )));
            }
            if !self.is_pubsub(&subscription.pubsub) {
                return Err(location.refuse(format!(
                    "`spec.pubsubname` is `{}`, which no component is; expected {}",
                    subscription.pubsub,
                    self.log_names()
                )));
            }
        }
        self.components.iter().try_for_each(|component| self.check_outbox(component))
    }

    /// The outbox has a pub/sub component.
    fn check_outbox(&self, component: &Component) -> Result<(), StartError> {
        let Settings::State(StateSettings { outbox: Some(outbox), .. }) = &component.settings else { return Ok(()) };
        if self.is_pubsub(&outbox.pubsub) {
            return Ok(());
        }
        Err(component.location.refuse(format!(
            "component `{}`: metadata `outboxPublishPubsub` is `{}`, which no component is; expected {}",
            component.name,
            outbox.pubsub,
            self.log_names()
        )))
    }

    /// An output binding by name.
    pub(crate) fn output(&self, name: &str) -> Option<&Output> {
        self.components.iter().find(|component| component.name == name).and_then(|component| {
            match &component.settings {
                Settings::Output(output) => Some(output.as_ref()),
                _ => None,
            }
        })
    }

    fn is_pubsub(&self, name: &str) -> bool {
        self.components.iter().any(|component| component.name == name && component.settings.is_pubsub())
    }

    fn log_names(&self) -> String {
        let names: Vec<_> = self
            .components
            .iter()
            .filter(|component| component.settings.is_pubsub())
            .map(|component| format!("`{}`", component.name))
            .collect();
        if names.is_empty() {
            "a component of type `pubsub.sqlite`, `pubsub.kafka` or `pubsub.in-memory`".into()
        } else {
            format!("one of {}", names.join(", "))
        }
    }
}

/// What tells whether a file has changed: two looks that give the same saw the same files.
pub(crate) fn fingerprint(config: &Config) -> Option<Vec<(PathBuf, SystemTime, u64)>> {
    let look = |path: PathBuf| {
        let found = path.metadata().ok()?;
        Some((path, found.modified().ok()?, found.len()))
    };
    files(&config.resources).ok()?.into_iter().map(look).collect()
}

/// The files in the order in which they are read: those of a folder by name, other folders in it not at all.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |source| StartError::ReadResource { path: path.clone(), source };
        if !path.metadata().map_err(failed)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in path.read_dir().map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if is_yaml(&file) && file.is_file() {
                inside.push(file);
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
