//! The names of tables and functions, as a component's metadata gives them.

/// The longest table name: with what is put behind it, it has to fit PostgreSQL's 63 bytes.
const LONGEST: usize = 48;

/// What is put behind a table's name.
const NAMES: [&str; 9] = ["outbox", "lease", "commit", "relay", "job", "cron", "create_job", "claim_job", "claim_tick"];

/// Where everything of one store is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Names {
    table: Name,
    metadata: Name,
}

/// A table, with its schema where one is given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    schema: Option<String>,
    table: String,
}

impl Name {
    /// Reads `table` or `schema.table`: letters, digits and underscores, which PostgreSQL takes as lower case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let part = |text: &str| {
            let fits = text.len() <= LONGEST
                && text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
                && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            fits.then(|| text.to_ascii_lowercase())
        };
        match text.split_once('.') {
            Some((schema, table)) => Some(Self { schema: Some(part(schema)?), table: part(table)? }),
            None => Some(Self { schema: None, table: part(text)? }),
        }
    }

    /// As it is written in a statement, with `suffix` behind.
    fn quoted(&self, suffix: &str) -> String {
        match &self.schema {
            Some(schema) => format!("\"{schema}\".\"{}{suffix}\"", self.table),
            None => format!("\"{}{suffix}\"", self.table),
        }
    }

    /// As people and rows name it.
    fn plain(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.table),
            None => self.table.clone(),
        }
    }
}

impl Names {
    pub(crate) fn new(table: Name, metadata: Name) -> Self {
        Self { table, metadata }
    }

    /// The table of items.
    pub(super) fn item(&self) -> String {
        self.table.quoted("")
    }

    /// The table of versions, which may be daprd's: it has the same columns.
    pub(super) fn metadata(&self) -> String {
        self.metadata.quoted("")
    }

    /// Under which the version is noted.
    pub(super) fn version_key(&self) -> String {
        format!("sidelet-version-{}", self.table.plain())
    }

    /// Where replicas tell each other.
    pub(super) fn channel(&self) -> String {
        // Channels have no schema, and 63 bytes at most.
        format!("sidelet {}", self.table.plain()).chars().take(63).collect()
    }

    /// A statement with the names in the place of `{item}`, `{outbox}` and the others.
    pub(super) fn fill(&self, statement: &str) -> String {
        let mut text = statement.replace("{item}", &self.item());
        for name in NAMES {
            text = text.replace(&format!("{{{name}}}"), &self.table.quoted(&format!("_{name}")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_schema_and_nothing_that_would_have_to_be_escaped() {
        let name = |text| Name::parse(text).map(|name| name.quoted("_x"));
        assert_eq!(name("State"), Some("\"state_x\"".into()));
        assert_eq!(name("app.state"), Some("\"app\".\"state_x\"".into()));
        for text in ["", ".", "a.", ".a", "a.b.c", "1a", "a-b", "a\"b", &"a".repeat(49)] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn every_name_in_a_statement_is_filled_in() {
        let names = Names::new(Name::parse("s.t").unwrap(), Name::parse("m").unwrap());
        assert_eq!(names.fill("{item} {outbox} {job}"), r#""s"."t" "s"."t_outbox" "s"."t_job""#);
        for text in [include_str!("migrations/1.sql"), include_str!("migrations/2.sql")] {
            assert!(!names.fill(text).contains('{'));
        }
    }
}
