//! Queries as they stand in a URL.

use std::fmt::Display;

use todo_domain::query::{Cursor, InvalidCursor, ListQuery, Order, Scope, SearchQuery, Sort};
use todo_domain::{DueDate, Priority, Refusals, Status, TimeZoneName, ValidationError};
use uuid::Uuid;

use super::folded;
use crate::activity::ActivityQuery;
use crate::notifications::inbox::{DEFAULT_LIMIT, MAX_ENTRIES};

/// Reads the parameters of a list. A parameter without a value is as good as absent.
///
/// # Errors
/// Every refused parameter, unknown ones and repeated ones included.
pub fn list_query(query: Option<&str>) -> Result<ListQuery, ValidationError> {
    let mut reader = Reader::new(query);
    let list = ListQuery {
        status: reader.one("status", Status::parse),
        priority: reader.one("priority", Priority::parse),
        tags: reader.all("tag"),
        sort: reader.one("sort", Sort::parse).unwrap_or_default(),
        order: reader.one("order", Order::parse),
        limit: reader.one("limit", |text| within(text, ListQuery::MAX_LIMIT)),
        cursor: reader.one("cursor", Cursor::parse),
        ..ListQuery::default()
    };
    checked(reader, list)
}

/// Reads the parameters of the trash, which is in the order of deletion, the latest first.
///
/// # Errors
/// As [`list_query`].
pub fn trash_query(query: Option<&str>) -> Result<ListQuery, ValidationError> {
    let mut reader = Reader::new(query);
    let list = ListQuery {
        scope: Scope::Trash,
        sort: Sort::DeletedAt,
        limit: reader.one("limit", |text| within(text, ListQuery::MAX_LIMIT)),
        cursor: reader.one("cursor", Cursor::parse),
        ..ListQuery::default()
    };
    checked(reader, list)
}

fn checked(mut reader: Reader, list: ListQuery) -> Result<ListQuery, ValidationError> {
    if let Err(error) = list.check_cursor() {
        reader.refusals.add("cursor", error.to_string());
    }
    reader.finish()?;
    Ok(list)
}

/// Reads the parameters of a search. Days begin and end in the user's zone.
///
/// # Errors
/// As [`list_query`].
pub fn search_query(query: Option<&str>, zone: &TimeZoneName) -> Result<SearchQuery, ValidationError> {
    let mut reader = Reader::new(query);
    let search = SearchQuery {
        text: reader.one("q", |text| Ok::<_, ValidationError>(text.to_owned())),
        status: reader.one("status", Status::parse),
        priority: reader.one("priority", Priority::parse),
        tags: reader.all("tag"),
        due_from: reader.one("dueDateFrom", DueDate::parse),
        due_to: reader.one("dueDateTo", DueDate::parse),
        time_zone: zone.clone(),
        overdue: reader.one("overdue", boolean),
        sort: reader.one("sort", Sort::parse).unwrap_or_default(),
        order: reader.one("order", Order::parse),
        page: reader.one("page", |text| within(text, SearchQuery::MAX_PAGE)),
        limit: reader.one("limit", |text| within(text, SearchQuery::MAX_LIMIT)),
    };
    reader.finish()?;
    Ok(search)
}

/// Reads the parameters of an inbox: how many entries, and the one behind which they begin.
///
/// # Errors
/// As [`list_query`].
pub fn inbox_query(query: Option<&str>) -> Result<(usize, Option<Uuid>), ValidationError> {
    let mut reader = Reader::new(query);
    let limit = reader.one("limit", |text| within(text, MAX_ENTRIES)).unwrap_or(DEFAULT_LIMIT);
    let after = reader.one("cursor", |text| text.trim().parse().map_err(|_| InvalidCursor));
    reader.finish()?;
    Ok((limit, after))
}

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Everything that is kept of the user.
    Json,
    /// The tasks outside the trash, as a table.
    Csv,
    /// The tasks outside the trash, as VTODOs.
    Ics,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Ics];

    /// The word on the wire, and the end of a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ics => "ics",
        }
    }
}

/// What a calendar feed has for each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// VEVENTs, which every calendar shows.
    Events,
    /// VTODOs, which calendars that know tasks show as such.
    Todos,
}

/// Reads `format=json|csv|ics`; JSON when it is not given.
///
/// # Errors
/// As [`list_query`].
pub fn export_query(query: Option<&str>) -> Result<ExportFormat, ValidationError> {
    let mut reader = Reader::new(query);
    let format = reader.one("format", |text| {
        let wanted = |format: &ExportFormat| text.trim().eq_ignore_ascii_case(format.as_str());
        ExportFormat::ALL.into_iter().find(wanted).ok_or("use json, csv or ics")
    });
    reader.finish()?;
    Ok(format.unwrap_or(ExportFormat::Json))
}

/// Reads `as=events|todos`; events when it is not given.
///
/// # Errors
/// As [`list_query`].
pub fn feed_query(query: Option<&str>) -> Result<FeedKind, ValidationError> {
    let mut reader = Reader::new(query);
    let kind = reader.one("as", |text| match text.trim().to_ascii_lowercase().as_str() {
        "events" => Ok(FeedKind::Events),
        "todos" => Ok(FeedKind::Todos),
        _ => Err("use events or todos"),
    });
    reader.finish()?;
    Ok(kind.unwrap_or(FeedKind::Events))
}

/// Reads the parameters of activity.
///
/// # Errors
/// As [`list_query`].
pub fn activity_query(query: Option<&str>) -> Result<ActivityQuery, ValidationError> {
    let mut reader = Reader::new(query);
    let limit = reader.one("limit", |text| within(text, ActivityQuery::MAX_LIMIT));
    let before = reader.one("cursor", |text| {
        text.trim()
            .parse()
            .map_err(|_| "is not one that this list gave: ask for the first page again, without a cursor")
    });
    reader.finish()?;
    Ok(ActivityQuery { limit, before })
}

/// Reads the number of the event that a page has seen last; the header `Last-Event-ID` wins over `lastEventId`, which is
/// for clients that cannot send it.
///
/// # Errors
/// As [`list_query`].
pub fn updates_query(query: Option<&str>, last_event_id: Option<&str>) -> Result<Option<u64>, ValidationError> {
    let mut reader = Reader::new(query);
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| "use the id of an event of this stream");
    let given = reader.one("lastEventId", number);
    let last_event_id = last_event_id.filter(|text| !text.trim().is_empty());
    let header = last_event_id.and_then(|text| reader.refusals.keep("Last-Event-ID", number(text)));
    reader.finish()?;
    Ok(header.or(given))
}

/// Takes parameters out of a query, and refuses what is left.
struct Reader {
    parameters: Vec<(String, String)>,
    known: Vec<&'static str>,
    refusals: Refusals,
}

impl Reader {
    fn new(query: Option<&str>) -> Self {
        let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { parameters, known: Vec::new(), refusals: Refusals::default() }
    }

    /// Every value of a parameter, in order, empty ones left out.
    fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let wanted = folded(name);
        let taken = self.parameters.extract_if(.., |(found, _)| folded(found) == wanted);
        taken.map(|(_, value)| value).filter(|value| !value.trim().is_empty()).collect()
    }

    fn one<V, E: Display>(&mut self, name: &'static str, parse: impl FnOnce(&str) -> Result<V, E>) -> Option<V> {
        let values = self.all(name);
        match values.as_slice() {
            [] => None,
            [value] => self.refusals.keep(name, parse(value)),
            _ => {
                self.refusals.add(name, "is given more than once: give it once");
                None
            }
        }
    }

    fn finish(mut self) -> Result<(), ValidationError> {
        let known = self.known.join(", ");
        for (name, _) in self.parameters {
            let name: String = name.chars().take(64).collect();
            self.refusals.add(name, format!("is not a parameter here: use {known}"));
        }
        self.refusals.finish()
    }
}

fn within(text: &str, most: usize) -> Result<usize, String> {
    let number = text.trim().parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("use a whole number from 1 to {most}"))
}

fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("use true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_repeated_tags() {
        let query = list_query(Some("status=in_progress&tag=a&tag=b&sort=due_date&limit=5&priority=")).unwrap();
        assert_eq!((query.status, query.limit, query.priority), (Some(Status::InProgress), Some(5), None));
        assert_eq!(query.tags, ["a", "b"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |query: &str| -> Vec<String> {
            list_query(Some(query)).unwrap_err().errors.into_iter().map(|error| error.field).collect()
        };
        assert_eq!(refused("limit=0&order=up&statuss=open"), ["order", "limit", "statuss"]);
        assert_eq!(refused("sort=title&sort=title"), ["sort"]);
        assert_eq!(refused("cursor=abc"), ["cursor"]);
    }
}
