//! Text with `{{ variable }}` in it.

/// A parsed template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses `text`; `None` if braces are not closed or enclose no variable's name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (name, remainder) = after.split_once("}}")?;
            let name = name.trim();
            if !is_variable_name(name) {
                return None;
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = remainder;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Some(Self { text: text.to_owned(), parts })
    }

    /// The template as written, which is safe to print.
    pub(crate) fn as_written(&self) -> &str {
        &self.text
    }

    /// True if no variable decides its value.
    pub(crate) fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Literal(_)))
    }

    /// Puts values in; the error is the first name without one.
    pub(crate) fn fill<'value>(&self, value: impl Fn(&str) -> Option<&'value str>) -> Result<String, &str> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => filled.push_str(text),
                Part::Variable(name) => filled.push_str(value(name).ok_or(name.as_str())?),
            }
        }
        Ok(filled)
    }
}

/// True for lower-case words joined by single `_`, the names that Spin accepts.
pub(crate) fn is_variable_name(name: &str) -> bool {
    name.split('_')
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        && name.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use fuzzing::{config, damaged};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn variables_are_filled_in_place() {
        let value = |name: &str| (name == "host").then_some("localhost");
        for (text, filled) in [
            ("", Ok("")),
            ("plain } {", Ok("plain } {")),
            ("{{host}}", Ok("localhost")),
            ("http://{{ host }}:{{ host }}/", Ok("http://localhost:localhost/")),
            ("{{ other }}", Err("other")),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.fill(value), filled.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn open_braces_and_wrong_names_are_refused() {
        for text in ["{{ host", "{{}}", "{{ a b }}", "{{ Host }}", "{{ {{ host }} }}"] {
            assert!(Template::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn variable_names_are_lower_snake_case() {
        for name in ["a", "api_host", "x1", "retry_2"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in ["", "_a", "a_", "a__b", "A", "1a", "api-host"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }

    proptest! {
        #![proptest_config(config(2_000))]

        #[test]
        fn a_template_is_filled_as_it_is_written(
            text in damaged(select(vec!["http://{{ host }}:{{host}}/", "", "a {{ x_1 }}"]).prop_map(str::to_owned), &["{{", "}}", "{{host}}", "{"]),
        ) {
            let Some(template) = Template::parse(&text) else { return Ok(()) };
            prop_assert_eq!(template.as_written(), &text);
            let named = template.fill(|_| Some("")).unwrap();
            prop_assert!(named.len() <= text.len());
            prop_assert_eq!(template.is_literal(), !text.contains("{{"));
            // A value is put in as it is, and read no further.
            let filled = template.fill(|_| Some("{{ host }}")).unwrap();
            prop_assert_eq!(filled.contains("{{ host }}"), !template.is_literal());
        }
    }
}
