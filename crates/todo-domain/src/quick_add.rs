//! A task in one line: `Pay rent tomorrow 9am #home !high every month`.

mod words;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use self::words::{Meaning, Rhythm};
use crate::recurrence::Recurrence;
use crate::task::{DueDate, NewTask, TimeZoneName};

/// What a line was taken to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickAdd {
    /// The task to make; its title is what no other field took, and may be blank.
    pub task: NewTask,
    /// Which words became which field, in the order of the line.
    pub understood: Vec<Understood>,
}

/// Some words of a line, and the field that they became.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Understood {
    /// The words as they were written.
    pub text: String,
    /// The field's canonical name: `tags`, `priority`, `dueDate` or `recurrence`.
    pub field: &'static str,
}

impl QuickAdd {
    /// Reads a line in English, whatever its case. Never fails: what is not understood stays in the title.
    ///
    /// - `#home` is a tag, `!high` a priority;
    /// - `today`, `tomorrow`, `friday`, `next friday`, `in 3 days`, `5 march`, `2026-03-05` are days, the next ones to come;
    /// - `9am`, `9:30pm`, `14:00`, `at 9` are times: of the day given, else of today, or of tomorrow when it is past;
    /// - `every day`, `every 2 weeks`, `every weekday`, `every monday` are recurrences, beginning on the day given, else on the first that fits;
    /// - what stands between double quotes is title as it is.
    ///
    /// Of several days, times, recurrences or priorities the first counts.
    pub fn parse(line: &str, now: Timestamp, zone: &TimeZoneName) -> Self {
        let local = zone.zone().to_datetime(now);
        let mut reading = Reading { today: local.date(), ..Reading::default() };
        let mut understood = Vec::new();
        let mut title = Vec::new();
        for piece in pieces(line) {
            let words: Vec<&str> = match piece {
                Piece::Quoted(text) => {
                    title.push(text);
                    continue;
                }
                Piece::Plain(text) => text.split_whitespace().collect(),
            };
            let mut rest = words.as_slice();
            while let Some(word) = rest.first() {
                match words::read(rest, reading.today).filter(|(_, meaning)| reading.has_room(meaning)) {
                    Some((length, meaning)) => {
                        understood.push(Understood { text: rest[..length].join(" "), field: meaning.field() });
                        reading.take(meaning);
                        rest = &rest[length..];
                    }
                    None => {
                        title.push(*word);
                        rest = &rest[1..];
                    }
                }
            }
        }
        let due_date = reading.due_date(local.time(), zone);
        let task = NewTask { title: title.join(" "), due_date, time_zone: zone.clone(), ..reading.task };
        Self { task, understood }
    }
}

/// A part of a line.
enum Piece<'l> {
    /// To be understood.
    Plain(&'l str),
    /// What stood between quotes.
    Quoted(&'l str),
}

/// Divides a line at its quotes. A quote opens before a word and closes after one; any other is a character like others.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((open, after)) = opening(rest) {
        let closing = after.match_indices(['"', '\u{201d}']).find(|(index, quote)| {
            *index > 0 && after[index + quote.len()..].chars().next().is_none_or(char::is_whitespace)
        });
        let Some((close, quote)) = closing else { break };
        pieces.push(Piece::Plain(&rest[..open]));
        pieces.push(Piece::Quoted(after[..close].trim()));
        rest = &after[close + quote.len()..];
    }
    pieces.push(Piece::Plain(rest));
    pieces
}

/// Where the first quote before a word is, and what follows it.
fn opening(text: &str) -> Option<(usize, &str)> {
    text.match_indices(['"', '\u{201c}']).find_map(|(index, quote)| {
        let begins = text[..index].chars().next_back().is_none_or(char::is_whitespace);
        let after = &text[index + quote.len()..];
        (begins && after.chars().next().is_some_and(|next| !next.is_whitespace())).then_some((index, after))
    })
}

/// What was understood so far.
#[derive(Default)]
struct Reading {
    today: Date,
    task: NewTask,
    has_priority: bool,
    day: Option<Date>,
    time: Option<Time>,
    rhythm: Option<Rhythm>,
}

impl Reading {
    fn has_room(&self, meaning: &Meaning) -> bool {
        match meaning {
            Meaning::Tag(_) => true,
            Meaning::Priority(_) => !self.has_priority,
            Meaning::Day(_) => self.day.is_none(),
            Meaning::Time(_) => self.time.is_none(),
            Meaning::Rhythm(_) => self.rhythm.is_none(),
        }
    }

    fn take(&mut self, meaning: Meaning) {
        match meaning {
            Meaning::Tag(tag) => self.task.tags.push(tag),
            Meaning::Priority(priority) => {
                self.task.priority = priority;
                self.has_priority = true;
            }
            Meaning::Day(day) => self.day = Some(day),
            Meaning::Time(time) => self.time = Some(time),
            Meaning::Rhythm(rhythm) => {
                self.task.recurrence = Recurrence::parse(&rhythm.text).ok().flatten();
                self.rhythm = Some(rhythm);
            }
        }
    }

    fn due_date(&self, time_now: Time, zone: &TimeZoneName) -> Option<DueDate> {
        let is_past = self.time.is_some_and(|time| time <= time_now);
        let day = self.day.or_else(|| {
            let earliest = if is_past { self.today.tomorrow().ok()? } else { self.today };
            match &self.rhythm {
                Some(rhythm) => rhythm.first_from(earliest),
                None => self.time.map(|_| earliest),
            }
        })?;
        match self.time {
            None => DueDate::try_on(day),
            Some(time) => {
                let instant = zone.zone().to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()?;
                DueDate::try_at(instant)
            }
        }
    }
}
