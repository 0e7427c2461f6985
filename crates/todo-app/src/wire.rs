//! Tasks and queries as people write them, and as they are answered.
//!
//! Names are canonical camelCase on the way out.
//! On the way in `due_date`, `dueDate` and `DUEDATE` are one name, and what is refused is refused by the canonical one.

mod answers;
mod bodies;
mod bulk;
mod fields;
mod input;
mod notifications;
mod query;
mod task;
mod tokens;

pub use self::answers::{activity_answer, created_answer, inbox_answer, page_answer, task_answer};
pub use self::bodies::{Availability, Dependencies, HealthBody, SearchBody, SignedInBody, TagBody};
pub use self::bulk::{Bulk, BulkBody, BulkResultBody, MAX_BULK, bulk};
pub use self::fields::Fields;
pub use self::input::{MAX_LINE, new_task, quick_line, task_change};
pub(crate) use self::input::{draft_of, zone_field};
pub use self::notifications::{WebhookTestBody, new_webhook, push_subscription, webhook_change};
pub use self::query::{
    ExportFormat, FeedKind, activity_query, export_query, feed_query, inbox_query, list_query, search_query,
    trash_query, updates_query,
};
pub use self::task::{QuickTaskBody, TaskBody};
pub use self::tokens::{FeedBody, new_api_token};

/// A name without the differences that do not matter: `due_date`, `dueDate` and `DUE-DATE` are all `duedate`.
pub(crate) fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}
