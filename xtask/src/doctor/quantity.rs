//! Quantities as Kubernetes writes them: `250m` of a CPU, `3Gi` of memory.

use serde_json::Value;

/// CPU and memory, each in thousandths.
pub(super) type Amounts = (i128, i128);

/// The two of an object that has them as `cpu` and `memory`; 0 where it has not.
pub(super) fn requests(resources: &Value) -> Amounts {
    let of = |key: &str| resources[key].as_str().and_then(thousandths).unwrap_or_default();
    (of("cpu"), of("memory"))
}

pub(super) fn add(one: Amounts, other: Amounts) -> Amounts {
    (one.0 + other.0, one.1 + other.1)
}

pub(super) fn times(one: Amounts, count: i128) -> Amounts {
    (one.0 * count, one.1 * count)
}

/// Powers of a thousand and of 1,024, by their signs.
const SIGNS: [(&str, i128); 11] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("", 1),
];

/// Thousandths of the unit: of a CPU, or of a byte. `None`: it is no quantity.
pub(super) fn thousandths(text: &str) -> Option<i128> {
    if let Some(number) = text.strip_suffix('m') {
        return number.parse().ok();
    }
    let (number, factor) = SIGNS.iter().find_map(|(sign, factor)| Some((text.strip_suffix(sign)?, *factor)))?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    let whole: i128 = whole.parse().ok()?;
    Some((whole * 1_000 + digits.parse::<i128>().ok()?) * factor)
}

/// Memory for people.
pub(super) fn memory(thousandths: i128) -> String {
    format!("{:.1} GiB", thousandths as f64 / 1_000.0 / f64::from(1 << 30))
}

/// CPU for people.
pub(super) fn cpu(thousandths: i128) -> String {
    format!("{:.2} CPU", thousandths as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("1", 1_000),
            ("830m", 830),
            ("1.5", 1_500),
            ("0", 0),
            ("128974848", 128_974_848_000),
            ("129e", -1),
            ("1Ki", 1_024_000),
            ("5564572Ki", 5_564_572 * 1_024_000),
            ("1.5Gi", (3 << 30) * 500),
            ("3Gi", (3 << 30) * 1_000),
            ("100M", 100_000_000_000),
        ] {
            assert_eq!(thousandths(text), (expected >= 0).then_some(expected), "{text}");
        }
    }
}
