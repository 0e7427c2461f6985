//! The five fields, read.
//!
//! Each is `*`, or a list of numbers, names and ranges, ranges and `*` with an optional step.
//! Days of the month know `L` (the last), `15W` (the working day nearest to the 15th) and `LW` (the last working day);
//! days of the week know `5L` or `FRI#L` (the last Friday) and `MON#2` (the second Monday). 7 is Sunday too, and `?` is `*`.

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Small numbers, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) const fn contains(self, number: i8) -> bool {
        number >= 0 && number < 64 && self.0 >> number & 1 == 1
    }

    /// From the smallest on.
    pub(super) fn iter(self) -> impl Iterator<Item = i8> {
        (0..60).filter(move |number| self.contains(*number))
    }
}

/// What five fields ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    minutes: Numbers,
    hours: Numbers,
    pub(super) days: Numbers,
    /// The working day nearest to each of these.
    pub(super) near_days: Numbers,
    pub(super) last_day: bool,
    pub(super) last_working_day: bool,
    pub(super) any_day: bool,
    pub(super) months: Numbers,
    /// Sunday is 0.
    pub(super) weekdays: Numbers,
    /// The first to the fifth of each in a month.
    pub(super) nth_weekdays: [Numbers; 5],
    pub(super) last_weekdays: Numbers,
    pub(super) any_weekday: bool,
    /// Whether minute and hour are one number each.
    pub(super) strikes_once_a_day: bool,
}

/// What is wrong with a field.
type Refusal = &'static str;

/// One field's kind: its bounds, its names, and the sentence that says so.
struct Form {
    least: u8,
    most: u8,
    names: &'static [&'static str],
    refusal: Refusal,
}

const MINUTE: Form =
    Form { least: 0, most: 59, names: &[], refusal: "minutes are 0 to 59, such as `0`, `0,30` or `*/15`" };
const HOUR: Form = Form { least: 0, most: 23, names: &[], refusal: "hours are 0 to 23, such as `9`, `8-18` or `*/2`" };
const DAY: Form = Form {
    least: 1,
    most: 31,
    names: &[],
    refusal: "days of the month are 1 to 31, `L`, `LW`, or such as `1,15` or `15W`",
};
const MONTH: Form = Form {
    least: 1,
    most: 12,
    names: &MONTHS,
    refusal: "months are 1 to 12 or JAN to DEC, such as `1-6` or `MAR,SEP`",
};
const WEEKDAY: Form = Form {
    least: 0,
    most: 7,
    names: &WEEKDAYS,
    refusal: "days of the week are 0 to 7 or SUN to SAT, such as `MON-FRI`, `MON#2` or `FRI#L`",
};

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let texts: Vec<&str> = text.split(' ').collect();
        let &[minute, hour, day, month, weekday] = texts.as_slice() else { return Err("give five fields") };
        let mut fields = Self { any_day: is_any(day), any_weekday: is_any(weekday), ..Self::default() };
        fields.minutes = MINUTE.plain(minute)?;
        fields.hours = HOUR.plain(hour)?;
        fields.months = MONTH.plain(month)?;
        fields.read_days(day).ok_or(DAY.refusal)?;
        fields.read_weekdays(weekday).ok_or(WEEKDAY.refusal)?;
        let is_one = |text: &str, numbers: Numbers| !text.contains(['*', '/']) && numbers.0.count_ones() == 1;
        fields.strikes_once_a_day = is_one(minute, fields.minutes) && is_one(hour, fields.hours);
        Ok(fields)
    }

    /// The times of day, hour and minute, from the earliest on.
    pub(super) fn times(&self) -> impl Iterator<Item = (i8, i8)> {
        let minutes = self.minutes;
        self.hours.iter().flat_map(move |hour| minutes.iter().map(move |minute| (hour, minute)))
    }

    fn read_days(&mut self, text: &str) -> Option<()> {
        if self.any_day {
            return Some(());
        }
        for item in text.split(',') {
            match item.strip_suffix('W') {
                Some("L") => self.last_working_day = true,
                Some(day) => self.near_days.0 |= 1 << DAY.number(day, false)?,
                None if item == "L" => self.last_day = true,
                None => self.days.0 |= DAY.item(item)?.0,
            }
        }
        Some(())
    }

    fn read_weekdays(&mut self, text: &str) -> Option<()> {
        if self.any_weekday {
            return Some(());
        }
        for item in text.split(',') {
            let (days, kind) = match item.split_once('#') {
                Some((days, nth)) => (days, nth),
                None => item.strip_suffix('L').map_or((item, ""), |day| (day, "L")),
            };
            let target = match kind {
                "" if days.len() == item.len() => &mut self.weekdays,
                "L" => &mut self.last_weekdays,
                nth => self.nth_weekdays.get_mut(nth.parse::<usize>().ok()?.checked_sub(1)?)?,
            };
            let found = WEEKDAY.item(days)?.0;
            target.0 |= (found | found >> 7) & 0x7f;
        }
        Some(())
    }
}

/// Whether a field of days says nothing.
fn is_any(text: &str) -> bool {
    matches!(text, "*" | "?")
}

impl Form {
    fn plain(&self, text: &str) -> Result<Numbers, Refusal> {
        if text == "*" {
            return Ok(span(self.least, self.most, 1));
        }
        let mut numbers = Numbers::default();
        for item in text.split(',') {
            numbers.0 |= self.item(item).ok_or(self.refusal)?.0;
        }
        Ok(numbers)
    }

    /// A number, a range with an optional step, or `*` with a step.
    fn item(&self, item: &str) -> Option<Numbers> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(digits(step).filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (self.number(from, false)?, self.number(to, true)?),
            None if step.is_some() => (range == "*").then_some((self.least, self.most))?,
            None => self.number(range, false).map(|number| (number, number))?,
        };
        (from <= to).then(|| span(from, to, step.unwrap_or(1)))
    }

    /// A number or a name. Sunday as the end of a range is 7.
    fn number(&self, text: &str, is_end: bool) -> Option<u8> {
        if let Some(index) = self.names.iter().position(|name| *name == text) {
            let number = u8::try_from(index).ok()? + self.least;
            return Some(if is_end && number == 0 { self.most } else { number });
        }
        digits(text).filter(|number| (self.least..=self.most).contains(number))
    }
}

fn span(from: u8, to: u8, step: u8) -> Numbers {
    Numbers((from..=to).step_by(usize::from(step)).fold(0, |bits, number| bits | 1 << number))
}

fn digits(text: &str) -> Option<u8> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
