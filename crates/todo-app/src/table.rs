//! The columns and cells of our own CSV, for those who write and read it.

/// The columns of an export. An import needs `title` alone.
pub(crate) const COLUMNS: [&str; 14] = [
    "id",
    "title",
    "description",
    "status",
    "priority",
    "tags",
    "dueDate",
    "timeZone",
    "recurrence",
    "reminders",
    "subtasks",
    "createdAt",
    "updatedAt",
    "completedAt",
];

/// What spreadsheets take for the begin of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
/// What makes it text for them.
const GUARD: char = '\'';

/// A cell that no spreadsheet takes for a formula. [`unguarded`] gives the text back, whatever it was.
pub(crate) fn guarded(text: &str) -> String {
    if text.trim_start_matches(GUARD).starts_with(FORMULA) { format!("{GUARD}{text}") } else { text.to_owned() }
}

/// The text of a cell that [`guarded`] wrote.
pub(crate) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix(GUARD) {
        Some(text) if text.trim_start_matches(GUARD).starts_with(FORMULA) => text,
        _ => cell,
    }
}

/// Texts in one cell, with commas between; a comma in a text stands behind a backslash.
pub(crate) fn join(texts: &[String]) -> String {
    let escaped: Vec<String> = texts.iter().map(|text| text.replace('\\', "\\\\").replace(',', "\\,")).collect();
    escaped.join(",")
}

/// The texts of a cell that [`join`] wrote, trimmed, blank ones left out.
pub(crate) fn split(cell: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut characters = cell.chars();
    while let Some(character) = characters.next() {
        match character {
            ',' => texts.push(String::new()),
            '\\' => texts.last_mut().into_iter().for_each(|text| text.extend(characters.next())),
            _ => texts.last_mut().into_iter().for_each(|text| text.push(character)),
        }
    }
    texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_text_comes_back() {
        for text in ["", "plain", "=1+1", "'=1+1", "''-x", "'quoted'", "-", "@home", "\tx", "a=b", "'"] {
            let cell = guarded(text);
            assert!(!cell.starts_with(FORMULA), "{text}");
            assert_eq!(unguarded(&cell), text);
        }
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("'quoted'"), "'quoted'");
    }

    #[test]
    fn texts_in_one_cell_come_back() {
        let texts = ["a,b", "c\\", "\\,", "d"].map(str::to_owned);
        assert_eq!(split(&join(&texts)), texts);
        assert_eq!(split(" home , ,work"), ["home", "work"]);
        assert!(split("").is_empty());
    }
}
