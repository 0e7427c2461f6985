//! Subscriptions and their rules.

use serde_json::json;

use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new;
    let rules = || {
        json!({
            "route": null,
            "routes": {
                "rules": [
                    { "match": "event.type == 'first'", "path": "/{case}-first" },
                    { "match": "has(event.data.kind) && event.data.kind == 'second'", "path": "/{case}-second" },
                ],
                "default": "/{case}",
            },
        })
    };
    let declared_rules = || {
        let mut spec = rules();
        if let Some(spec) = spec.as_object_mut() {
            spec.remove("route");
        }
        spec
    };
    let routed = |case: Case| {
        case.publish("?metadata.cloudevent.type=first", "1")
            .gets("/{case}-first", json!({ "data": 1, "...": "" }))
            .publish("", json!({ "kind": "second" }))
            .gets("/{case}-second", json!({ "data": { "kind": "second" }, "...": "" }))
            .publish("", "3")
            .gets_data(json!(3))
            .times("/{case}", 1)
    };
    vec![
        case("subscribe/declarative", "A document of version v1alpha1 subscribes").declares(json!({ "route": "/{case}" }))
            .publish("", "1").gets_data(json!(1)),
        case("subscribe/no-slash", "A route may lack its slash").subscribes(json!({ "route": "{case}" })).publish("", "1").gets_data(json!(1)),
        case("subscribe/default-route", "A default route is a route").subscribes(json!({ "route": null, "routes": { "default": "/{case}" } }))
            .publish("", "1").gets_data(json!(1)),
        routed(case("routing/rules", "The first rule that matches decides, or the default").subscribes(rules())),
        routed(case("routing/declarative-rules", "Rules of a document do so too").declares(declared_rules())),
        case("routing/missing-field", "A rule on a field that is not there does not match").subscribes(json!({
            "route": null,
            "routes": { "rules": [{ "match": "event.data.kind == 'a'", "path": "/{case}-a" }], "default": "/{case}" },
        })).publish("", json!({ "other": 1 })).gets_data(json!({ "other": 1 })),
        case("routing/no-match", "What matches no rule and has no default is dropped").subscribes(json!({
            "route": null,
            "routes": { "rules": [{ "match": "event.type == 'a'", "path": "/{case}" }] },
        })).publish("?metadata.partitionKey=k", "1").publish("?metadata.partitionKey=k&metadata.cloudevent.type=a", "2").gets_data(json!(2)).times("/{case}", 1),
    ]
}
