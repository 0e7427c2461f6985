//! Documents in the state store, as JSON.

use dapr::{StateItem, Transport};
use serde::{Serialize, de::DeserializeOwned};

use crate::{App, failure::Failure};

impl<T: Transport> App<T> {
    /// Reads a document and its entity tag; `None` when there is none.
    pub(crate) async fn load_document<D: DeserializeOwned>(&self, key: &str) -> Result<Option<(D, String)>, Failure> {
        let Some(found) = self.dapr.get(&self.settings.state_store, key).await? else { return Ok(None) };
        let corrupt = |source| Failure::Corrupt { subject: format!("the document `{key}`"), source };
        let text = std::str::from_utf8(&found.value).map_err(|source| corrupt(source.into()))?;
        let document = serde_json::from_str(text).map_err(|source| corrupt(source.into()))?;
        Ok(Some((document, found.etag)))
    }
}

/// A document as an item of the store.
pub(crate) fn item<D: Serialize>(key: String, document: &D) -> Result<StateItem, Failure> {
    StateItem::new(key.clone(), document)
        .map_err(|source| Failure::Corrupt { subject: format!("the document `{key}`"), source: source.into() })
}
