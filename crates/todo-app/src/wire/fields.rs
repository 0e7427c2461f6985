//! The fields of a small JSON object, taken out one by one; what is left is refused.

use serde_json::{Map, Value};
use todo_domain::{Refusals, TimeZoneName, ValidationError};

use super::{folded, zone_field};
use crate::http::body::kind_of;

/// Takes fields out of an object and collects what is wrong with them.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    known: Vec<&'static str>,
    refusals: Refusals,
}

impl<'a> Fields<'a> {
    /// Begins with all fields left.
    pub fn new(object: &'a Map<String, Value>) -> Self {
        Self { object, known: Vec::new(), refusals: Refusals::default() }
    }

    /// A text; `None` when it is absent, null or refused.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text.clone()),
            other => {
                self.refusals.add(name, format!("expected text, found {}", kind_of(other)));
                None
            }
        }
    }

    /// A text that has to be there; empty when it is refused.
    pub fn required_text(&mut self, name: &'static str) -> String {
        if self.take(name).is_none() {
            self.refusals.add(name, "is missing");
            return String::new();
        }
        self.text(name).unwrap_or_default()
    }

    /// A time zone; `None` when it is absent, null or refused.
    pub fn time_zone(&mut self, name: &'static str) -> Option<TimeZoneName> {
        let value = self.take(name)?;
        zone_field(name, value, &mut self.refusals)
    }

    /// Refuses a field.
    pub fn refuse(&mut self, name: &'static str, message: &str) {
        self.refusals.add(name, message);
    }

    /// Succeeds when nothing was refused and nothing is left.
    ///
    /// # Errors
    /// Every refused and every unknown field.
    pub fn finish(mut self) -> Result<(), ValidationError> {
        let known: Vec<String> = self.known.iter().map(|name| folded(name)).collect();
        for name in self.object.keys().filter(|name| !known.contains(&folded(name))) {
            let name: String = name.chars().take(64).collect();
            self.refusals.add(name, format!("is not a field here: use {}", self.known.join(", ")));
        }
        self.refusals.finish()
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let wanted = folded(name);
        self.object
            .iter()
            .find(|(found, _)| folded(found) == wanted)
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }
}
