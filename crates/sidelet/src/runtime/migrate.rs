//! Brings the tables of all databases up to date, and ends: what is run before a new release starts.

use crate::{config::Config, error::StartError, resources::Resources};
#[cfg(feature = "postgres")]
use crate::{
    metrics::Metrics,
    postgres::Database,
    resources::{Keeper, Settings},
};

/// Makes the tables of every `state.postgresql` among the files, or brings them up to this release. It may be run at any
/// time, by any number at once, and again.
///
/// Gives one line for each database. A sidecar does the same when it starts.
///
/// # Errors
/// When a file cannot be served, or a database is away, refuses, or was made by a newer release.
pub async fn migrate(config: Config) -> Result<Vec<String>, StartError> {
    prepare(&config, Resources::read(&config)?).await
}

/// Without PostgreSQL there are only files, which are brought up to date by whoever opens them.
#[cfg(not(feature = "postgres"))]
async fn prepare(_: &Config, _: Resources) -> Result<Vec<String>, StartError> {
    Ok(Vec::new())
}

#[cfg(feature = "postgres")]
async fn prepare(config: &Config, resources: Resources) -> Result<Vec<String>, StartError> {
    let metrics = Metrics::new(&config.app_id, &resources.configuration.metrics, std::iter::empty());
    let mut done = Vec::new();
    for component in &resources.components {
        let Settings::State(state) = &component.settings else { continue };
        let Keeper::Postgres(settings) = &state.keeper else { continue };
        let refused = |error: &dyn std::fmt::Display| StartError::Store { message: error.to_string() };
        let database = Database::new((**settings).clone(), metrics.queries()).map_err(|error| refused(&error))?;
        let prepared = database.prepare().await;
        database.close();
        let place = database.place();
        prepared.map_err(|error| refused(&format!("could not bring `{place}` up to date: {error}")))?;
        done.push(format!("component `{}`: the tables in `{place}` are up to date", component.name));
    }
    Ok(done)
}
