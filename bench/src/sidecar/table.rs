//! Figures of several sidecars side by side.

use crate::latency::median;

/// All figures, in the order in which they first came.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    what: String,
    unit: &'static str,
    values: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    pub(super) fn note(&mut self, peer: &'static str, what: &str, unit: &'static str, value: f64) {
        let index = self.rows.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.rows.push(Row { what: what.to_owned(), unit, values: Vec::new() });
            self.rows.len() - 1
        });
        let values = &mut self.rows[index].values;
        match values.iter_mut().find(|(known, _)| *known == peer) {
            Some((_, values)) => values.push(value),
            None => values.push((peer, vec![value])),
        }
    }

    /// Prints the median of each figure. The last column is how many times better the first peer is.
    pub(super) fn print(mut self, title: &str, peers: &[&'static str]) {
        let ratio = if peers.len() > 1 { " ratio |" } else { "" };
        println!("\n| {title} | {} |{ratio}", peers.join(" | "));
        println!("|{}", "---|".repeat(1 + peers.len() + usize::from(peers.len() > 1)));
        for row in &mut self.rows {
            let medians: Vec<Option<f64>> = peers
                .iter()
                .map(|peer| row.values.iter_mut().find(|(known, _)| known == peer).map(|(_, values)| median(values)))
                .collect();
            let cells: Vec<String> = medians.iter().map(|value| value.map_or_else(String::new, text)).collect();
            print!("| {}, {} | {} |", row.what, row.unit, cells.join(" | "));
            match medians[..] {
                [Some(ours), Some(theirs)] if ours > 0.0 && theirs > 0.0 => {
                    // More is better of rates alone.
                    let ratio = if row.unit == "/s" { ours / theirs } else { theirs / ours };
                    println!(" {ratio:.1} |");
                }
                [_, _] => println!(" |"),
                _ => println!(),
            }
        }
    }
}

fn text(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
