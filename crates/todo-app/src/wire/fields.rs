//! The fields of a small JSON object, taken out one by one; what is left is refused.

use serde_json::{Map, Value};
use todo_domain::{DayTime, Refusals, TimeZoneName, ValidationError};

use super::{folded, input::texts, zone_field};
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

    /// Texts; empty when they are absent, null or refused.
    pub fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.take(name).and_then(|value| texts(name, value, &mut self.refusals)).unwrap_or_default()
    }

    /// An object; `None` when it is absent, null or refused.
    pub fn object(&mut self, name: &'static str) -> Option<&'a Map<String, Value>> {
        match self.take(name)? {
            Value::Object(object) => Some(object),
            other => {
                self.refusals.add(name, format!("expected an object, found {}", kind_of(other)));
                None
            }
        }
    }

    /// Whether something is wanted; not when it is absent, null or refused.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.choice(name).unwrap_or(false)
    }

    /// Whether something is wanted; `None` when it is absent, null or refused.
    pub fn choice(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                self.refusals.add(name, format!("expected true or false, found {}", kind_of(other)));
                None
            }
        }
    }

    /// Accepts a field whatever it holds.
    pub fn ignore(&mut self, name: &'static str) {
        self.take(name);
    }

    /// A time zone; `None` when it is absent, null or refused.
    pub fn time_zone(&mut self, name: &'static str) -> Option<TimeZoneName> {
        let value = self.take(name)?;
        zone_field(name, value, &mut self.refusals)
    }

    /// A time of day; an inner `None` for null, `None` when it is absent or refused.
    pub fn day_time(&mut self, name: &'static str) -> Option<Option<DayTime>> {
        if self.find(name).is_some_and(Value::is_null) {
            return Some(None);
        }
        match DayTime::parse(&self.text(name)?) {
            Ok(time) => Some(Some(time)),
            Err(error) => {
                self.refusals.add(name, error.to_string());
                None
            }
        }
    }

    /// Refuses a field that was not refused before.
    pub fn refuse(&mut self, name: impl Into<String>, message: &str) {
        let name = name.into();
        if !self.refusals.names(&name) {
            self.refusals.add(name, message);
        }
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
        self.find(name).filter(|value| !value.is_null())
    }

    fn find(&mut self, name: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let wanted = folded(name);
        self.object.iter().find(|(found, _)| folded(found) == wanted).map(|(_, value)| value)
    }
}
