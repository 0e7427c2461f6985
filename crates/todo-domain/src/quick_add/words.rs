//! What words mean.

use jiff::civil::{Date, Time, Weekday};

use crate::calendar::{plus_days, plus_months, plus_years};
use crate::iso;
use crate::recurrence::Recurrence;
use crate::task::Priority;

/// What some words mean.
pub(super) enum Meaning {
    Tag(String),
    Priority(Priority),
    Day(Date),
    Time(Time),
    Rhythm(Rhythm),
}

/// How a task comes back.
pub(super) struct Rhythm {
    /// The recurrence's text.
    pub(super) text: String,
    /// The weekdays on which it falls; any when empty.
    weekdays: Vec<Weekday>,
}

impl Meaning {
    pub(super) const fn field(&self) -> &'static str {
        match self {
            Self::Tag(_) => "tags",
            Self::Priority(_) => "priority",
            Self::Day(_) | Self::Time(_) => "dueDate",
            Self::Rhythm(_) => "recurrence",
        }
    }
}

impl Rhythm {
    /// The first day that fits, from this one on.
    pub(super) fn first_from(&self, day: Date) -> Option<Date> {
        if self.weekdays.is_empty() {
            return Some(day);
        }
        self.weekdays.iter().filter_map(|weekday| day.yesterday().ok()?.nth_weekday(1, *weekday).ok()).min()
    }
}

/// What the first words mean, and how many they are; `None` when they belong to the title.
pub(super) fn read(words: &[&str], today: Date) -> Option<(usize, Meaning)> {
    let lower: Vec<String> = words.iter().take(3).map(|word| word.to_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let first = *lower.first()?;
    if let Some(tag) = first.strip_prefix('#').filter(|tag| !tag.is_empty()) {
        return Some((1, Meaning::Tag(tag.to_owned())));
    }
    if let Some(priority) = first.strip_prefix('!').and_then(|word| Priority::parse(word).ok()) {
        return Some((1, Meaning::Priority(priority)));
    }
    let is_recurrence = |found: &(usize, Rhythm)| Recurrence::parse(&found.1.text).is_ok_and(|read| read.is_some());
    if let Some((length, rhythm)) = rhythm(&lower).filter(is_recurrence) {
        return Some((length, Meaning::Rhythm(rhythm)));
    }
    if let Some((length, day)) = day(&lower, today) {
        return Some((length, Meaning::Day(day)));
    }
    let (length, time) = time(&lower)?;
    Some((length, Meaning::Time(time)))
}

fn rhythm(words: &[&str]) -> Option<(usize, Rhythm)> {
    let [first, second, others @ ..] = words else { return None };
    if *first != "every" {
        return None;
    }
    let any_day = |text: String| Rhythm { text, weekdays: Vec::new() };
    if let Some((_, word)) = unit(second) {
        return Some((2, any_day(word.to_owned())));
    }
    let interval = if *second == "other" {
        Some(2)
    } else {
        second.parse::<u16>().ok().filter(|number| (1..=1000).contains(number))
    };
    if let (Some(interval), Some(third)) = (interval, others.first()) {
        let (frequency, _) = unit(third)?;
        return Some((3, any_day(format!("FREQ={frequency};INTERVAL={interval}"))));
    }
    let weekdays: Vec<Weekday> = match *second {
        "weekday" | "workday" => {
            vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]
        }
        "weekend" => vec![Weekday::Saturday, Weekday::Sunday],
        days => days.split(',').filter(|day| !day.is_empty()).map(weekday_or_short).collect::<Option<_>>()?,
    };
    let codes: Vec<&str> = weekdays.iter().map(|weekday| code(*weekday)).collect();
    Some((2, Rhythm { text: format!("FREQ=WEEKLY;BYDAY={}", codes.join(",")), weekdays }))
}

fn day(words: &[&str], today: Date) -> Option<(usize, Date)> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| (0..=1000).contains(number));
    match words {
        ["today", ..] => Some((1, today)),
        ["tomorrow", ..] => Some((1, today.tomorrow().ok()?)),
        ["next", "week", ..] => Some((2, plus_days(today, 7)?)),
        ["next", "month", ..] => Some((2, plus_months(today, 1)?)),
        ["next", "year", ..] => Some((2, plus_years(today, 1)?)),
        ["next" | "on" | "this", name, ..] if weekday_or_short(name).is_some() => {
            Some((2, today.nth_weekday(1, weekday_or_short(name)?).ok()?))
        }
        ["in", count, name, ..] => {
            let count = number(count)?;
            let day = match unit(name)?.0 {
                "DAILY" => plus_days(today, count),
                "WEEKLY" => plus_days(today, count * 7),
                "MONTHLY" => plus_months(today, count),
                _ => plus_years(today, count),
            };
            Some((3, day?))
        }
        [name, ..] if weekday(name).is_some() => Some((1, today.nth_weekday(1, weekday(name)?).ok()?)),
        [one, other, rest @ ..] if month_and_day(one, other).is_some() => {
            let (month, day) = month_and_day(one, other)?;
            match rest.first().and_then(|year| year_of(year)) {
                Some(year) => Some((3, Date::new(year, month, day).ok()?)),
                None => Some((2, next_of(month, day, today)?)),
            }
        }
        [date, ..] if date.len() == 10 => Some((1, iso::date(date).filter(|date| (1..=9998).contains(&date.year()))?)),
        _ => None,
    }
}

/// `5 march`, `5th march`, `march 5` or `mar 5th`.
fn month_and_day(one: &str, other: &str) -> Option<(i8, i8)> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let month_of = |word: &str| {
        let index = MONTHS.iter().position(|month| *month == word || (word.len() == 3 && month.starts_with(word)))?;
        i8::try_from(index + 1).ok()
    };
    let (month, day) = match (month_of(one), month_of(other)) {
        (Some(month), None) => (month, other),
        (None, Some(month)) => (month, one),
        _ => return None,
    };
    let day = day.trim_end_matches([',', '.']);
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|suffix| day.strip_suffix(suffix)).unwrap_or(day);
    let day: i8 = digits.parse().ok()?;
    // A leap year has every day there is.
    Date::new(2000, month, day).ok().map(|_| (month, day))
}

/// Four digits of this and the next century.
fn year_of(word: &str) -> Option<i16> {
    word.parse().ok().filter(|year| word.len() == 4 && (1900..=2199).contains(year))
}

/// This year's day, or the next there is when it has passed.
fn next_of(month: i8, day: i8, today: Date) -> Option<Date> {
    let in_year = |year| Date::new(year, month, day).ok().filter(|date| *date >= today);
    (today.year()..today.year().saturating_add(9)).find_map(in_year)
}

fn time(words: &[&str]) -> Option<(usize, Time)> {
    if let ["at", word, ..] = words {
        let named = match *word {
            "noon" => Time::new(12, 0, 0, 0).ok(),
            "midnight" => Time::new(0, 0, 0, 0).ok(),
            _ => None,
        };
        let time = named.or_else(|| clock(word)).or_else(|| Time::new(word.parse().ok()?, 0, 0, 0).ok())?;
        return Some((2, time));
    }
    // `9 am` with a space.
    if let [digits, half @ ("am" | "pm"), ..] = words
        && let Some(time) = clock(&format!("{digits}{half}"))
    {
        return Some((2, time));
    }
    Some((1, clock(words.first()?)?))
}

/// `9am`, `9:30pm` or `14:00`.
fn clock(word: &str) -> Option<Time> {
    let (digits, afternoon) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(false)),
        (_, Some(digits)) => (digits, Some(true)),
        _ => (word, None),
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute.parse().ok()?),
        None if afternoon.is_some() => (digits, 0),
        _ => return None,
    };
    let hour: i8 = hour.parse().ok()?;
    let hour = match afternoon {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// A unit of time: its frequency in a rule, and its word as a recurrence.
fn unit(word: &str) -> Option<(&'static str, &'static str)> {
    match word {
        "day" | "days" => Some(("DAILY", "daily")),
        "week" | "weeks" => Some(("WEEKLY", "weekly")),
        "month" | "months" => Some(("MONTHLY", "monthly")),
        "year" | "years" => Some(("YEARLY", "yearly")),
        _ => None,
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    match word {
        "monday" => Some(Weekday::Monday),
        "tuesday" => Some(Weekday::Tuesday),
        "wednesday" => Some(Weekday::Wednesday),
        "thursday" => Some(Weekday::Thursday),
        "friday" => Some(Weekday::Friday),
        "saturday" => Some(Weekday::Saturday),
        "sunday" => Some(Weekday::Sunday),
        _ => None,
    }
}

/// A weekday's name, or its first three letters; only where a weekday is expected, since `sun` and `sat` are words.
fn weekday_or_short(word: &str) -> Option<Weekday> {
    let short = |name: &&str| word.len() == 3 && name.starts_with(word);
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    weekday(word).or_else(|| weekday(names.iter().find(|name| short(name))?))
}

const fn code(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}
