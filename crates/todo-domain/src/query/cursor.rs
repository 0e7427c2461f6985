//! Where a list was left, so that the next page begins there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sort::{Order, Position, Sort};
use crate::instant;

/// A place in a sorted list: just behind one task, whatever is added or removed elsewhere.
///
/// Its text is opaque to clients and safe in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    /// When the first page was asked for: what was overdue then stays first.
    pub(crate) as_of: Timestamp,
    pub(crate) after: Position<'static>,
}

/// A text that is no cursor of this query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list gave: ask for the first page again, without a cursor")]
pub struct InvalidCursor;

impl Cursor {
    /// Longer than the cursor of any title.
    const MAX_TEXT: usize = 8 * 1024;

    /// Reads a cursor's text.
    pub fn parse(text: &str) -> Result<Self, InvalidCursor> {
        if text.len() > Self::MAX_TEXT {
            return Err(InvalidCursor);
        }
        let json =
            URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| String::from_utf8(json).ok()).ok_or(InvalidCursor)?;
        let wire: Wire = serde_json::from_str(&json).map_err(|_| InvalidCursor)?;
        let Wire(sort, order, as_of, after) = wire;
        Ok(Self { sort, order, as_of, after: after.into_owned().directed(sort, order) })
    }
}

/// The form inside the text.
#[derive(Serialize, Deserialize)]
struct Wire<'a>(Sort, Order, #[serde(deserialize_with = "instant::read")] Timestamp, #[serde(borrow)] Position<'a>);

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wire = Wire(self.sort, self.order, self.as_of, self.after.clone());
        let json = serde_json::to_vec(&wire).map_err(|_| std::fmt::Error)?;
        formatter.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}
