//! Components of type `bindings.cron`.

use std::sync::Arc;

use http::Uri;
use jiff::tz::TimeZone;

use super::{document::Document, metadata::Metadata};
use crate::{
    config::Config,
    error::StartError,
    jobs::schedule::{Fields, Schedule},
};

const KEYS: [&str; 3] = ["schedule", "direction", "route"];

/// When which apps are called.
#[derive(Debug)]
pub(crate) struct CronSettings {
    /// When.
    pub(crate) schedule: Schedule,
    /// As it was written.
    pub(crate) text: String,
    /// Where.
    pub(crate) route: String,
    /// Whether an app is asked before if it takes the binding.
    pub(crate) asks_first: bool,
    /// Who.
    pub(crate) apps: Vec<String>,
}

impl CronSettings {
    /// Reads what a document says. By the clock of this machine, as in Dapr.
    pub(super) fn read(
        mut metadata: Metadata<'_>,
        document: &Document,
        config: &Config,
    ) -> Result<Arc<Self>, StartError> {
        let text = metadata.require("schedule", "a schedule such as `@every 1h` or `0 30 9 * * *`")?;
        let schedule = Schedule::parse(&text, Fields::FiveOrSix, &TimeZone::system())
            .map_err(|error| metadata.refuse("schedule", &format!("cannot be served: {error}")))?;
        let direction = metadata.parse("direction", "`input`, since a schedule only calls apps", |text| {
            text.split(',').any(|word| word.trim() == "input").then_some(())
        })?;
        let route = metadata.parse("route", "a path such as `/daily`", |text| {
            let path = format!("/{}", text.trim_start_matches('/'));
            path.parse::<Uri>().is_ok().then_some(path)
        })?;
        metadata.finish(&[], &KEYS)?;
        let route = match route {
            Some(route) => route,
            None => format!("/{}", document.name),
        };
        if route.parse::<Uri>().is_err() {
            return Err(document
                .location
                .refuse(format!("component `{}`: its name is no path; expected a `route`", document.name)));
        }
        let apps = config.apps.keys().filter(|app| document.scopes.is_empty() || document.scopes.contains(app));
        let apps = apps.cloned().collect();
        Ok(Arc::new(Self { schedule, text, route, asks_first: direction.is_none(), apps }))
    }
}
