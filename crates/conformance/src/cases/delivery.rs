//! What becomes of the app's answers.

use serde_json::json;

use crate::case::Case;

/// An app that answers so is not asked again: a message behind it on the same key comes, and this one came once.
fn done(id: &'static str, claim: &'static str, status: u16, body: &'static str) -> Case {
    Case::new(id, claim)
        .subscribes(json!({}))
        .answers("/{case}", &[(status, body), (200, "")])
        .publish("?metadata.partitionKey=k", "1")
        .publish("?metadata.partitionKey=k", "2")
        .order("/{case}", vec![json!(1), json!(2)])
}

/// An app that answers so is asked again, before what is behind it on the same key.
fn again(id: &'static str, claim: &'static str, status: u16, body: &'static str) -> Case {
    Case::new(id, claim)
        .subscribes(json!({}))
        .answers("/{case}", &[(status, body), (status, body), (200, "")])
        .publish("?metadata.partitionKey=k", "1")
        .publish("?metadata.partitionKey=k", "2")
        .order("/{case}", vec![json!(1), json!(1), json!(1), json!(2)])
}

/// An app that answers so gives the message up: it comes to the dead letter topic as it was.
fn buried(id: &'static str, claim: &'static str, status: u16, body: &'static str) -> Case {
    Case::new(id, claim)
        .subscribes(json!({ "deadLetterTopic": "{case}-dead" }))
        .subscribes_to("-dead", json!({}))
        .answers("/{case}", &[(status, body)])
        .publish("", json!({ "n": 1 }))
        .gets("/{case}-dead", json!({ "data": { "n": 1 }, "topic": "{case}", "id": "<uuid>", "...": "" }))
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        done("delivery/empty", "An empty 200 acknowledges", 200, ""),
        done("delivery/no-content", "204 acknowledges", 204, ""),
        done("delivery/created", "201 acknowledges", 201, "{}"),
        done("delivery/not-json", "A body that is no JSON acknowledges", 200, "thanks"),
        done("delivery/success", "SUCCESS acknowledges", 200, r#"{"status":"SUCCESS"}"#),
        done("delivery/drop", "DROP is not asked again", 200, r#"{"status":"DROP"}"#),
        done("delivery/not-found", "404 is not asked again", 404, ""),
        again("delivery/retry", "RETRY comes again, in order", 200, r#"{"status":"RETRY"}"#),
        again("delivery/error", "500 comes again, in order", 500, ""),
        again("delivery/refused", "400 comes again, in order", 400, ""),
        again("delivery/unknown-status", "An unknown status comes again", 200, r#"{"status":"MAYBE"}"#),
        buried("dead-letter/drop", "DROP goes to the dead letter topic", 200, r#"{"status":"DROP"}"#),
        buried("dead-letter/not-found", "404 goes to the dead letter topic", 404, ""),
        buried("dead-letter/retries-end", "What always fails goes to the dead letter topic", 500, ""),
        Case::new("dead-letter/after-retries", "A failure is tried again before it is a dead letter")
            .subscribes(json!({ "deadLetterTopic": "{case}-dead" }))
            .subscribes_to("-dead", json!({}))
            .answers("/{case}", &[(500, ""), (200, "")])
            .publish("", "1")
            .times("/{case}", 2)
            .times("/{case}-dead", 0),
    ]
}
