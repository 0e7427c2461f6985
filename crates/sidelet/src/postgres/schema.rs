//! The tables, whose version is noted beside them, and how they come to be.

use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Client, Error};

use super::{error, names::Names, pool::silent};
use crate::store::StoreError;

/// What each version adds to the one before, from the first on.
const MIGRATIONS: [&str; 3] =
    [include_str!("migrations/1.sql"), include_str!("migrations/2.sql"), include_str!("migrations/3.sql")];

/// Why tables cannot be used. Trying again does not help.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum SchemaError {
    /// A newer release made them.
    #[error(
        "the tables of `{table}` have version {version}, and this program knows versions up to {}; update it",
        MIGRATIONS.len()
    )]
    Newer { table: String, version: usize },
    /// Another program made them.
    #[error("the table `{table}` is there and was not made by sidelet; give another name as `tableName`")]
    Foreign { table: String },
    /// What is noted is no version.
    #[error("the version that `{table}` notes is `{text}`, which is none; repair or remove that row")]
    Unreadable { table: String, text: String },
}

impl From<SchemaError> for StoreError {
    fn from(error: SchemaError) -> Self {
        Self::Failed { source: std::sync::Arc::new(error) }
    }
}

/// Brings the tables to this program's version, and gives how many migrations were made. Any number may do so at once.
///
/// Until `deadline` it is found out whether there is something to do, and no longer is waited for a server that falls
/// silent. What there is to do takes its time: another replica may be making an index of a large table.
pub(super) async fn prepare(client: &mut Client, names: &Names, deadline: Instant) -> Result<usize, StoreError> {
    let found = timeout_at(deadline, version(client, names)).await.map_err(|_| silent())??;
    if found == MIGRATIONS.len() {
        return Ok(0);
    }
    let transaction =
        timeout_at(deadline, client.transaction()).await.map_err(|_| silent())?.map_err(error::meaning)?;
    let lock = "SELECT pg_advisory_xact_lock(hashtext('sidelet migration'), hashtext($1))";
    transaction.execute_typed(lock, &[(&names.item(), super::TEXT)]).await.map_err(error::meaning)?;
    // Before the next look, since it is what makes the server forget that there was no table.
    let metadata = names.metadata();
    let text = format!("CREATE TABLE IF NOT EXISTS {metadata} (key text NOT NULL PRIMARY KEY, value text NOT NULL)");
    transaction.batch_execute(&text).await.map_err(error::meaning)?;
    // Another may have made them meanwhile.
    let version = version(transaction.client(), names).await?;
    for migration in &MIGRATIONS[version..] {
        transaction.batch_execute(&names.fill(migration)).await.map_err(error::meaning)?;
    }
    let note = format!(
        "INSERT INTO {metadata} (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    );
    let (key, value) = (names.version_key(), MIGRATIONS.len().to_string());
    transaction.execute_typed(&note, &[(&key, super::TEXT), (&value, super::TEXT)]).await.map_err(error::meaning)?;
    transaction.commit().await.map_err(error::meaning)?;
    Ok(MIGRATIONS.len() - version)
}

/// The version of the tables; 0 where there are none.
async fn version(client: &Client, names: &Names) -> Result<usize, StoreError> {
    let table = names.item();
    let noted = noted(client, names).await.map_err(error::meaning)?;
    let Some(text) = noted else {
        let taken = exists(client, &table).await.map_err(error::meaning)?;
        return if taken { Err(SchemaError::Foreign { table }.into()) } else { Ok(0) };
    };
    match text.parse::<usize>() {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        Ok(version) => Err(SchemaError::Newer { table, version }.into()),
        Err(_) => Err(SchemaError::Unreadable { table: names.metadata(), text }.into()),
    }
}

async fn noted(client: &Client, names: &Names) -> Result<Option<String>, Error> {
    let metadata = names.metadata();
    if !exists(client, &metadata).await? {
        return Ok(None);
    }
    let text = format!("SELECT value FROM {metadata} WHERE key = $1");
    let row = client.query_typed_opt(&text, &[(&names.version_key(), super::TEXT)]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn exists(client: &Client, table: &str) -> Result<bool, Error> {
    let row = client.query_typed_one("SELECT to_regclass($1) IS NOT NULL", &[(&table, super::TEXT)]).await?;
    row.try_get(0)
}
