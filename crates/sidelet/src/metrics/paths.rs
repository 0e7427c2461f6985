//! The labels of a request: the call's name, or its method and a path of the configuration.

use super::Request;
use crate::resources::MetricsSettings;

/// Paths that are counted on their own.
#[derive(Debug)]
pub(super) struct Paths {
    patterns: Vec<String>,
    excludes_verbs: bool,
}

impl Paths {
    pub(super) fn new(settings: &MetricsSettings) -> Self {
        Self { patterns: settings.paths().to_vec(), excludes_verbs: settings.excludes_verbs() }
    }

    /// The labels `method` and `path`. As Dapr's with bounded labels: without patterns the method is the call's name.
    pub(super) fn labels<'request>(&'request self, request: &Request<'request>) -> (&'request str, &'request str) {
        if self.patterns.is_empty() {
            return (request.name, "");
        }
        let verb = match request.verb {
            _ if self.excludes_verbs => "",
            verb @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => verb,
            _ => "OTHER",
        };
        (verb, self.patterns.iter().find(|pattern| fits(pattern, request.path)).map_or("", String::as_str))
    }
}

/// Whether a path is one of a pattern's: `{name}` stands for one part that is not empty.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut parts, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given => {}
            (Some(part), Some(given)) if part.starts_with('{') && part.ends_with('}') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_for_one_part() {
        for (pattern, path, expected) in [
            ("/orders/{id}", "/orders/7", true),
            ("/orders/{id}", "/orders/", false),
            ("/orders/{id}", "/orders/7/items", false),
            ("/orders/{id}/items", "/orders/7/items", true),
            ("/orders", "/orders", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
