//! What is wrong with an input, all of it at once.

use std::fmt;

/// One field that was refused, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The field's canonical name, e.g. `dueDate` or `subtasks[3].title`.
    pub field: String,
    /// A sentence that says what would be accepted.
    pub message: String,
}

/// Every field of one input that was refused; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ValidationError {
    /// The refused fields, in the order of the task's fields.
    pub errors: Vec<FieldError>,
}

impl ValidationError {
    /// One refused field.
    pub fn of(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { errors: vec![FieldError { field: field.into(), message: message.into() }] }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{}: {}", error.field, error.message)?;
        }
        Ok(())
    }
}

/// Collects refused fields while an input is read, so that the person sees them all, up to a hundred.
#[derive(Debug, Default)]
pub struct Refusals(Vec<FieldError>);

impl Refusals {
    /// The most refusals that are told: more help nobody, and an input of a megabyte can have half a million.
    const MOST: usize = 100;

    /// Notes one refused field.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < Self::MOST {
            self.0.push(FieldError { field: field.into(), message: message.into() });
        }
    }

    /// Keeps a value, or notes why its field was refused and gives `None`.
    pub fn keep<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(field, error.to_string());
                None
            }
        }
    }

    /// Whether this field, or a part of it, was refused.
    pub fn names(&self, field: &str) -> bool {
        let of_field = |rest: &str| rest.is_empty() || rest.starts_with(['[', '.']);
        self.0.iter().any(|error| error.field.strip_prefix(field).is_some_and(of_field))
    }

    /// Takes over the refusals of another reading of the same input.
    pub fn extend(&mut self, other: ValidationError) {
        self.0.extend(other.errors);
    }

    /// Succeeds when nothing was refused.
    pub fn finish(self) -> Result<(), ValidationError> {
        if self.0.is_empty() { Ok(()) } else { Err(ValidationError { errors: self.0 }) }
    }
}
