//! Two programs side by side, and the page docs/conformance.md.

use std::fmt::Write as _;

use crate::Outcome;

/// What one program did on some stores.
#[derive(Debug, Clone)]
pub struct Column {
    /// Whose it is and what was behind it.
    pub name: String,
    /// Whether it is the program whose every case has to hold.
    pub own: bool,
    /// A case each, in the table's order.
    pub outcomes: Vec<Outcome>,
}

/// What has to be mended: cases that do not hold, and differences that are listed and are none, or the other way round.
pub fn problems(columns: &[Column], differences: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let others: Vec<&Column> = columns.iter().filter(|column| !column.own).collect();
    for column in columns.iter().filter(|column| column.own) {
        let wrong = column.outcomes.iter().filter_map(|outcome| Some((outcome.id, outcome.wrong.as_ref()?)));
        problems.extend(wrong.map(|(id, wrong)| format!("`{id}` on {}: {wrong}", column.name)));
    }
    let Some(first) = others.first() else { return problems };
    for (at, id) in first.outcomes.iter().map(|outcome| outcome.id).enumerate() {
        let wrong = others.iter().find_map(|column| Some((column, column.outcomes[at].wrong.as_ref()?)));
        let listed = differences.contains(&format!("`{id}`"));
        match wrong {
            Some((column, wrong)) if !listed => {
                problems.push(format!(
                    "`{id}` differs on {} and docs/daprd-differences.md does not list it: {wrong}",
                    column.name
                ));
            }
            None if listed => problems.push(format!("docs/daprd-differences.md lists `{id}`, which does not differ")),
            _ => {}
        }
    }
    problems
}

/// The columns side by side, as lines of text.
pub fn lines(columns: &[Column]) -> String {
    let mut text = String::new();
    let Some(first) = columns.first() else { return text };
    for (at, outcome) in first.outcomes.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| cell(&column.outcomes[at])).collect();
        let equal = cells.iter().all(|cell| *cell == cells[0]);
        let cells = if equal { cells[0].clone() } else { cells.join(" | ") };
        let _never = writeln!(text, "{:<44} {cells}", outcome.id);
    }
    text
}

/// The page, with the versions that were run.
pub fn page(columns: &[Column], versions: &str) -> String {
    let mut text = format!(
        "# Conformance\n\n\
         Written by `cargo xtask conformance --daprd PATH`; the cases are in `crates/conformance/src/cases`.\n\
         {versions}\n\n\
         A cell has the statuses and error codes that were answered, and what came to the app.\n\
         ✗ begins what a program did otherwise than the case expects; \
         [daprd-differences.md](daprd-differences.md) says of each why.\n\n"
    );
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let _never = writeln!(text, "| Case | | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(columns.len()));
    let Some(first) = columns.first() else { return text };
    for (at, outcome) in first.outcomes.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| cell(&column.outcomes[at]).replace('|', "\\|")).collect();
        let _never = writeln!(text, "| `{}` | {} | {} |", outcome.id, outcome.claim, cells.join(" | "));
    }
    text
}

fn cell(outcome: &Outcome) -> String {
    match &outcome.wrong {
        None => outcome.seen.clone(),
        // What differs from run to run is no part of the page.
        Some(wrong) => format!("✗ {}", if outcome.seen.is_empty() { wrong } else { &outcome.seen }),
    }
}
