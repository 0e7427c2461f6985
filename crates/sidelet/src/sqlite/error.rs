//! What the driver's errors mean to a store.

use std::sync::Arc;

use crate::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed { source: Arc::new(error) }
    }
}
