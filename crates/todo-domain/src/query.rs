//! Lists, searches and tags.
//!
//! A query names the pages it needs by failing with [`ReadError::PagesNeeded`]; load them and run it again.

mod cursor;
mod filter;
mod list;
mod search;
mod select;
mod sort;
mod tags;
mod text;

pub use self::cursor::{Cursor, InvalidCursor};
pub use self::filter::Scope;
pub use self::list::{ListPage, ListQuery};
pub use self::search::{SearchPage, SearchQuery};
pub use self::sort::{Order, Sort};
pub use self::tags::TagCount;

#[cfg(doc)]
use crate::list::ReadError;
