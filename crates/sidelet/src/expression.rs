//! Expressions of the Common Expression Language: routing rules and what trips a circuit breaker.
//!
//! An expression is compiled when its file is read, and refused then if it names what it will never find.

use std::sync::{Arc, LazyLock};

use cel::{
    Context, Env, Program, Value,
    common::ast::{EntryExpr, Expr, IdedExpr},
    objects::{Key, Map},
};
use serde_json::Value as Json;

/// The functions and macros of the language's standard; those on time and durations are not served.
static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Functions that an expression may call by name. Operators have names that are no words.
const FUNCTIONS: [&str; 13] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "type",
    "dyn",
];
/// Types, which are values too: `type(event.data) == string`.
const TYPES: [&str; 10] = ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"];

/// One compiled expression.
#[derive(Debug)]
pub(crate) struct Expression {
    text: String,
    program: Program,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Expression {
    /// Compiles `text`, which may name the variables in `known` alone. The error is one line for people.
    pub(crate) fn compile(text: &str, known: &[&str]) -> Result<Self, String> {
        let program = STANDARD.compile(text).map_err(|errors| {
            let errors = errors.to_string();
            let reason = errors.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            format!("`{text}` is no CEL expression: {reason}")
        })?;
        let mut scope: Vec<&str> = known.iter().chain(&TYPES).copied().collect();
        if let Some(name) = unknown_variable(program.expression(), &mut scope) {
            return Err(format!("`{text}` names `{name}`; expected {} alone", known.join(", ")));
        }
        let references = program.references();
        let is_word = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric());
        if let Some(name) = references.functions().into_iter().find(|name| is_word(name) && !FUNCTIONS.contains(name)) {
            return Err(format!("`{text}` calls `{name}`; expected one of {}", FUNCTIONS.join(", ")));
        }
        Ok(Self { text: text.to_owned(), program })
    }

    /// The expression as it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds. An expression that fails, say on a field that is not there, does not.
    pub(crate) fn holds(&self, variables: impl IntoIterator<Item = (&'static str, Value)>) -> bool {
        let mut context = Context::with_env(STANDARD.clone());
        for (name, value) in variables {
            context.add_variable_from_value(name, value);
        }
        matches!(self.program.execute(&context), Ok(Value::Bool(true)))
    }
}

/// JSON as the language sees it. Whole numbers stay whole.
pub(crate) fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(Arc::new(text)),
        Json::Array(list) => Value::List(Arc::new(list.into_iter().map(value).collect())),
        Json::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| (Key::String(Arc::new(name)), value(field)));
            Value::Map(Map { map: Arc::new(fields.collect()) })
        }
    }
}

/// A variable that is neither in scope nor the language's own.
fn unknown_variable<'program>(expression: &'program IdedExpr, scope: &mut Vec<&'program str>) -> Option<&'program str> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => None,
        Expr::Ident(name) => (!name.starts_with('@') && !scope.contains(&name.as_str())).then_some(name.as_str()),
        Expr::Call(call) => {
            call.target.iter().map(AsRef::as_ref).chain(&call.args).find_map(|part| unknown_variable(part, scope))
        }
        Expr::List(list) => list.elements.iter().find_map(|element| unknown_variable(element, scope)),
        Expr::Select(select) => unknown_variable(&select.operand, scope),
        Expr::Map(map) => map.entries.iter().find_map(|entry| unknown_in_entry(&entry.expr, scope)),
        Expr::Struct(made) => made.entries.iter().find_map(|entry| unknown_in_entry(&entry.expr, scope)),
        Expr::Comprehension(loop_) => {
            if let Some(name) = unknown_variable(&loop_.iter_range, scope) {
                return Some(name);
            }
            let outside = scope.len();
            scope.extend([loop_.iter_var.as_str(), loop_.accu_var.as_str()]);
            scope.extend(loop_.iter_var2.as_deref());
            let found = [&loop_.accu_init, &loop_.loop_cond, &loop_.loop_step, &loop_.result]
                .into_iter()
                .find_map(|part| unknown_variable(part, scope));
            scope.truncate(outside);
            found
        }
    }
}

fn unknown_in_entry<'program>(entry: &'program EntryExpr, scope: &mut Vec<&'program str>) -> Option<&'program str> {
    match entry {
        EntryExpr::StructField(field) => unknown_variable(&field.value, scope),
        EntryExpr::MapEntry(entry) => {
            unknown_variable(&entry.key, scope).or_else(|| unknown_variable(&entry.value, scope))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, event: Json) -> bool {
        Expression::compile(text, &["event"]).unwrap().holds([("event", value(event))])
    }

    #[test]
    fn rules_of_daprs_documentation_hold() {
        let event = serde_json::json!({
            "type": "widget", "data": {"n": 5, "price": 1.5, "tags": ["a", "b"], "kind": null, "important": true},
        });
        for text in [
            r#"event.type == "widget""#,
            r#"event.type == 'widget' && event.data.n > 4"#,
            "has(event.data.price) && event.data.price >= 1.5",
            "event.data.n == 5.0 && event.data.n < 5.5",
            "event.data.important == true",
            "event.data.important",
            r#"event.type.startsWith("wid") && event.type.matches("^w.*t$")"#,
            r#""b" in event.data.tags && event.data.tags.exists(tag, tag == "a")"#,
            "size(event.data.tags) == 2 && !has(event.data.absent)",
            "event.data.kind == null && type(event.type) == string",
            "int(event.data.price) == 1 || event.data.absent == 1",
        ] {
            assert!(holds(text, event.clone()), "{text}");
        }
        for text in ["event.type == 'gadget'", "event.data.absent == 1", "event.data.n", "event.data.n == 'x'"] {
            assert!(!holds(text, event.clone()), "{text}");
        }
    }

    #[test]
    fn what_can_never_hold_is_refused() {
        for (text, part) in [
            ("event.type ==", "is no CEL expression"),
            ("", "is no CEL expression"),
            ("evnt.type == 'a'", "names `evnt`; expected event alone"),
            ("event.tags.exists(tag, tog == 'a')", "names `tog`"),
            ("timestamp(event.time) > timestamp('2020-01-01T00:00:00Z')", "calls `timestamp`"),
        ] {
            let refusal = Expression::compile(text, &["event"]).unwrap_err();
            assert!(refusal.contains(part) && !refusal.contains('\n'), "{refusal}");
        }
    }
}
