//! What the sidecar asks of its databases. While nothing is to do, it is nothing.

use prometheus::IntCounter;

use super::Definitions;

/// A look at a database, or a transaction, whatever the number of its statements.
#[derive(Debug, Clone)]
pub(crate) struct Queries {
    /// Reads beside the writer.
    pub(crate) read: IntCounter,
    /// Transactions of the writer, and its upkeep.
    pub(crate) write: IntCounter,
}

impl Queries {
    pub(super) fn new(define: &Definitions<'_>) -> Self {
        let all = define.counters("sidelet_database_queries_total", "Questions to databases", &["kind"]);
        Self { read: all.with_label_values(&["read"]), write: all.with_label_values(&["write"]) }
    }
}
