//! Content lines, as RFC 5545, 3.1, writes them: folded lines, a name, parameters, a value.

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content<'a> {
    /// As written; names are alike whatever their case.
    pub(super) name: &'a str,
    /// What stands between the name and the value.
    parameters: &'a str,
    /// As written, escapes and blanks included.
    pub(super) value: &'a str,
}

impl<'a> Content<'a> {
    /// Takes a line apart; `None` when it has no value.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (head, value) = split_outside_quotes(line, ':')?;
        let (name, parameters) = split_outside_quotes(head, ';').unwrap_or((head, ""));
        Some(Self { name: name.trim(), parameters, value })
    }

    /// Whether it is this name with this value, whatever their case.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) && self.value.trim().eq_ignore_ascii_case(value)
    }

    /// The value of a parameter, without quotes around it.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut rest = Some(self.parameters);
        while let Some(text) = rest {
            let (parameter, behind) =
                split_outside_quotes(text, ';').map_or((text, None), |(one, rest)| (one, Some(rest)));
            if let Some((found, value)) = parameter.split_once('=')
                && found.trim().eq_ignore_ascii_case(name)
            {
                return Some(value.trim().trim_matches('"'));
            }
            rest = behind;
        }
        None
    }
}

/// The lines of a text with folded ones joined, each with the number of its first line, counted from 1.
pub(super) fn unfolded(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).enumerate().peekable();
    std::iter::from_fn(move || {
        let (index, line) = lines.next()?;
        let mut whole = line.to_owned();
        while let Some((_, more)) = lines.next_if(|(_, next)| next.starts_with([' ', '\t'])) {
            whole.push_str(&more[1..]);
        }
        Some((index + 1, whole))
    })
}

fn split_outside_quotes(text: &str, separator: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.find(|character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })?;
    Some((&text[..at], &text[at + separator.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_outside_quotes() {
        let line = Content::parse("DUE;X=\"a:b;c\";tzid=\"Europe/Berlin\" :20260301T090000").unwrap();
        assert_eq!((line.name, line.value), ("DUE", "20260301T090000"));
        assert_eq!((line.parameter("TZID"), line.parameter("X")), (Some("Europe/Berlin"), Some("a:b;c")));
        assert_eq!(line.parameter("VALUE"), None);
        assert_eq!(Content::parse("SUMMARY"), None);
        assert_eq!(Content::parse("X;A=\"open:1"), None);
    }

    #[test]
    fn folded_lines_are_one_line() {
        let lines: Vec<_> = unfolded("A:1\r\n 2\r\n\t3\nB:4\r\n\n C:5").collect();
        assert_eq!(lines, [(1, "A:123".into()), (4, "B:4".into()), (5, "C:5".into())]);
    }
}
