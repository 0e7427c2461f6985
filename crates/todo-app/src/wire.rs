//! Tasks and queries as people write them, and as they are answered.
//!
//! Names are canonical camelCase on the way out.
//! On the way in `due_date`, `dueDate` and `DUEDATE` are one name, and what is refused is refused by the canonical one.

mod bodies;
mod fields;
mod input;
mod query;
mod task;

pub use self::bodies::{Availability, Dependencies, HealthBody, SearchBody, SignedInBody, TagBody};
pub use self::fields::Fields;
pub(crate) use self::input::{draft_of, zone_field};
pub use self::input::{new_task, task_change};
pub use self::query::{list_query, search_query};
pub use self::task::TaskBody;

/// A name without the differences that do not matter: `due_date`, `dueDate` and `DUE-DATE` are all `duedate`.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}
