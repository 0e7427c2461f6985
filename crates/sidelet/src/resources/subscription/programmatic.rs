//! What an app answers on `GET /dapr/subscribe`.

use serde_json::Value;

use super::{Origin, Spec, Subscription, routes};

/// Reads the answer of `app`. A subscription that cannot be served is told apart and does not keep back the others.
///
/// # Errors
/// When the answer is no list.
pub(crate) fn read_answer(app: &str, body: &[u8]) -> Result<Vec<Result<Subscription, String>>, String> {
    let list: Vec<Value> =
        serde_json::from_slice(body).map_err(|error| format!("it is no list of subscriptions: {error}"))?;
    Ok(list.into_iter().map(|value| read(app, value)).collect())
}

fn read(app: &str, value: Value) -> Result<Subscription, String> {
    let spec: Spec = serde_json::from_value(known(value)).map_err(|error| error.to_string())?;
    let name = format!("{}/{}", spec.pubsubname, spec.topic);
    let route = spec.route.clone().filter(|route| !route.is_empty());
    routes(route, spec.routes.as_ref(), "`route`")
        .and_then(|routes| Subscription::new(spec, name.clone(), routes, vec![app.to_owned()], Origin::Programmatic))
        .map_err(|reason| format!("`{name}`: {reason}"))
}

/// The fields that mean something, whatever the case of their names: SDKs differ in it, and Dapr's reader does not mind.
fn known(value: Value) -> Value {
    const FIELDS: [&str; 7] =
        ["pubsubname", "topic", "route", "routes", "deadLetterTopic", "bulkSubscribe", "metadata"];
    const INNER: [&str; 5] = ["default", "rules", "enabled", "maxMessagesCount", "maxAwaitDurationMs"];
    let mut fields = pick(value, &FIELDS);
    for inside in ["routes", "bulkSubscribe"] {
        if let Some(field) = fields.get_mut(inside) {
            *field = pick(field.take(), &INNER);
        }
    }
    if let Some(rules) = fields.pointer_mut("/routes/rules").and_then(Value::as_array_mut) {
        for rule in rules {
            *rule = pick(rule.take(), &["match", "path"]);
        }
    }
    fields
}

fn pick(value: Value, names: &[&str]) -> Value {
    let Value::Object(fields) = value else { return value };
    let spelled =
        |name: &str| names.iter().find(|known| known.eq_ignore_ascii_case(name)).map(|known| (*known).to_owned());
    fields.into_iter().filter_map(|(name, field)| Some((spelled(&name)?, field))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_whatever_the_case_of_their_fields() {
        let body = r#"[
            {"pubsubname": "p", "topic": "a", "route": "x", "unknown": 1},
            {"pubsubName": "p", "Topic": "b", "routes": {"rules": [{"match": "event.type == 'a'", "path": "/a"}, {"path": "b"}],
             "default": "/c"}, "deadLetterTopic": "b-dlq", "metadata": {"rawPayload": "true"},
             "bulkSubscribe": {"enabled": true, "maxMessagesCount": 5, "maxAwaitDurationMs": 40}},
            {"pubsubname": "p", "topic": "c", "routes": {"rules": null, "default": ""}, "route": ""},
            {"pubsubname": "p", "topic": "d", "routes": {"rules": [{"match": "event.type =", "path": "/a"}]}},
            7
        ]"#;
        let read = read_answer("app", body.as_bytes()).unwrap();
        let first = read[0].as_ref().unwrap();
        assert_eq!((first.name.as_str(), first.routes[0].path.as_str(), first.raw_payload), ("p/a", "x", false));
        let second = read[1].as_ref().unwrap();
        assert_eq!(second.routes.iter().map(|route| route.path.as_str()).collect::<Vec<_>>(), ["/a", "b", "/c"]);
        assert_eq!((second.bulk.unwrap().count, second.bulk.unwrap().wait.as_millis()), (5, 40));
        assert!(second.raw_payload && second.dead_letter_topic.as_deref() == Some("b-dlq"));
        assert!(read[2].as_ref().unwrap_err().contains("`p/c`: `route` is missing"));
        assert!(read[3].as_ref().unwrap_err().contains("`routes.rules[0]`: `event.type =` is no CEL expression"));
        assert!(read[4].is_err());
        assert!(read_answer("app", b"{}").is_err());
    }
}
