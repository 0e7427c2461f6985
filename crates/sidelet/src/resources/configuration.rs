//! The configuration file: what apps may do, what is noted, what is measured.
//!
//! Sections that would guard something and are not served are refused; others without effect are named in the log.

mod access;
mod secret_scopes;

use std::path::PathBuf;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::document::{Document, Location};
use crate::error::StartError;

pub(crate) use access::{ApiAccess, ApiGroup};
pub(crate) use secret_scopes::SecretScopes;

/// What the files of `--config` say. Without one, everything is allowed and no call is noted.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// Which calls of the API are noted.
    pub(crate) api_log: ApiLog,
    /// Which parts of the API there are.
    pub(crate) api: ApiAccess,
    /// Which secrets apps may read.
    pub(crate) secrets: SecretScopes,
    /// What is measured.
    pub(crate) metrics: MetricsSettings,
    denied_types: Vec<String>,
}

/// Which calls of the API are noted in the log.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ApiLog {
    /// Whether any is; `--enable-api-logging` says otherwise.
    pub(crate) enabled: bool,
    /// The name of the call in place of its path, which may have personal data.
    #[serde(rename = "obfuscateURLs")]
    pub(crate) obfuscate_urls: bool,
    /// Health checks are left out.
    pub(crate) omit_health_checks: bool,
}

/// What is measured, and how.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct MetricsSettings {
    /// Whether metrics are served at all. Default: yes.
    pub(crate) enabled: Option<bool>,
    /// Upper bounds of the latencies' buckets in milliseconds. Default: Dapr's.
    pub(crate) latency_distribution_buckets: Option<Vec<f64>>,
    http: HttpMetrics,
    rules: Vec<Value>,
    record_error_codes: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct HttpMetrics {
    increased_cardinality: Option<bool>,
    path_matching: Vec<String>,
    exclude_verbs: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Logging {
    api_logging: ApiLog,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Components {
    deny: Vec<String>,
}

/// Sections that guard something in daprd: nobody must believe that they do here.
const GUARDS: [(&str, &str); 3] =
    [("httpPipeline", "handlers"), ("appHttpPipeline", "handlers"), ("accessControl", "policies")];
/// Sections that have no effect here.
const IGNORED: [&str; 6] = ["tracing", "mtls", "nameResolution", "features", "wasm", "workflow"];

impl Configuration {
    /// Reads the one configuration of some files, of which none need be.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, StartError> {
        let mut documents = Vec::new();
        for file in files {
            documents.extend(Document::read_all(file)?);
        }
        let mut configuration = Self::default();
        for (index, mut document) in documents.into_iter().enumerate() {
            if document.kind != "Configuration" {
                return Err(document
                    .location
                    .refuse(format!("`kind` is `{}`; expected `Configuration`", document.kind)));
            }
            if index > 0 {
                return Err(document.location.refuse("it is the second configuration; expected one"));
            }
            let spec: Option<Map<String, Value>> = document.spec()?;
            configuration = Self::new(spec.unwrap_or_default(), &document.location)?;
        }
        Ok(configuration)
    }

    fn new(mut spec: Map<String, Value>, location: &Location) -> Result<Self, StartError> {
        for (section, list) in GUARDS {
            let Some(value) = spec.remove(section) else { continue };
            let denies = value.get("defaultAction").and_then(Value::as_str).is_some_and(|action| action != "allow");
            if denies || value.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
                return Err(
                    location.refuse(format!("`spec.{section}` is not served and would guard nothing; remove it"))
                );
            }
        }
        for section in IGNORED {
            if spec.remove(section).is_some() {
                tracing::warn!(section, "a section of the configuration has no effect here");
            }
        }
        let logging: Logging = section(&mut spec, "logging", location)?;
        let components: Components = section(&mut spec, "components", location)?;
        let metrics: MetricsSettings = match section::<Option<_>>(&mut spec, "metrics", location)? {
            Some(metrics) => metrics,
            None => section(&mut spec, "metric", location)?,
        };
        metrics.check(location)?;
        let configuration = Self {
            api_log: logging.api_logging,
            api: ApiAccess::new(section(&mut spec, "api", location)?, location)?,
            secrets: SecretScopes::new(section(&mut spec, "secrets", location)?, location)?,
            metrics,
            denied_types: components.deny,
        };
        match spec.keys().next() {
            Some(section) => Err(location.refuse(format!("`spec.{section}` is not known; expected Dapr's sections"))),
            None => Ok(configuration),
        }
    }

    /// Whether a component of this type may not be. `state.sqlite` denies every version, `state.sqlite/v1` one.
    pub(super) fn denies(&self, kind: &str, version: &str) -> bool {
        self.denied_types.iter().any(|denied| match denied.split_once('/') {
            Some((denied, one)) => denied.eq_ignore_ascii_case(kind) && one.eq_ignore_ascii_case(version),
            None => denied.eq_ignore_ascii_case(kind),
        })
    }
}

impl MetricsSettings {
    /// Paths that are counted on their own, each with parameters such as `/orders/{id}`.
    pub(crate) fn paths(&self) -> &[String] {
        &self.http.path_matching
    }

    /// Whether the method of a request is left out.
    pub(crate) fn excludes_verbs(&self) -> bool {
        self.http.exclude_verbs
    }

    fn check(&self, location: &Location) -> Result<(), StartError> {
        if self.http.increased_cardinality == Some(true) || !self.rules.is_empty() || self.record_error_codes {
            tracing::warn!(
                "`increasedCardinality`, `rules` and `recordErrorCodes` of the metrics have no effect: labels are bounded always"
            );
        }
        let refuse = |key: &str, form: &str| Err(location.refuse(format!("`spec.metrics.{key}`: expected {form}")));
        if let Some(buckets) = &self.latency_distribution_buckets
            && (buckets.is_empty() || buckets.len() > 100 || !buckets.is_sorted_by(|left, right| left < right))
        {
            return refuse("latencyDistributionBuckets", "1 to 100 numbers of milliseconds, each above the one before");
        }
        if self.paths().len() > 100 || self.paths().iter().any(|path| !path.starts_with('/')) {
            return refuse("http.pathMatching", "up to 100 paths such as `/orders/{id}`");
        }
        Ok(())
    }
}

fn section<T>(spec: &mut Map<String, Value>, name: &str, location: &Location) -> Result<T, StartError>
where
    T: DeserializeOwned + Default,
{
    let Some(value) = spec.remove(name).filter(|value| !value.is_null()) else { return Ok(T::default()) };
    serde_json::from_value(value).map_err(|error| location.refuse(format!("`spec.{name}`: {error}")))
}
