//! What an app's answer means for a message.

use std::{borrow::Cow, collections::HashMap};

use dapr::DeliveryStatus;
use http::StatusCode;
use serde::Deserialize;

/// Characters of an app's own reason that are kept.
const REASON: usize = 500;

/// What becomes of a message after one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is finished.
    Done,
    /// It is finished, and the app did not know what to do with it.
    Ignored,
    /// It comes again. The reason is for the log and the dead letter; the status is the app's, where it is what failed.
    Retry {
        /// Why.
        reason: Reason,
        /// An HTTP status that is no success.
        status: Option<u16>,
    },
    /// The app will never take it.
    Drop(Reason),
    /// No route of the subscription takes it.
    Unrouted,
    /// The app is not there; the message was not judged.
    Absent,
}

/// Why a message was not taken.
pub(super) type Reason = Cow<'static, str>;

#[derive(Deserialize)]
struct Answer<'body> {
    #[serde(borrow, default)]
    status: Option<Cow<'body, str>>,
    /// Why, for the dead letter. Not Dapr's.
    #[serde(borrow, default)]
    reason: Option<Cow<'body, str>>,
    /// Whether the app did not know what to do with it. Not Dapr's.
    #[serde(default)]
    ignored: bool,
}

#[derive(Deserialize)]
struct BulkAnswer<'body> {
    #[serde(borrow)]
    statuses: Vec<EntryAnswer<'body>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryAnswer<'body> {
    #[serde(borrow)]
    entry_id: Cow<'body, str>,
    #[serde(borrow, default)]
    status: Option<Cow<'body, str>>,
}

impl Verdict {
    /// Dapr's name in the metrics. An app that is not there has judged nothing.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Done | Self::Ignored => Some("success"),
            Self::Retry { .. } => Some("retry"),
            Self::Drop(_) | Self::Unrouted => Some("drop"),
            Self::Absent => None,
        }
    }

    /// A failure that no status tells of.
    pub(super) fn retry(reason: impl Into<Reason>) -> Self {
        Self::Retry { reason: reason.into(), status: None }
    }

    /// Reads an answer as daprd does, but for a 503 with `Retry-After`, by which an app's host says that it is away.
    pub(super) fn of(status: StatusCode, retry_after: bool, body: &[u8]) -> Self {
        if let Some(verdict) = Self::of_status(status, retry_after) {
            return verdict;
        }
        // A body that says nothing about the message acknowledges it.
        let Ok(answer) = serde_json::from_slice::<Answer<'_>>(body) else { return Self::Done };
        let verdict = match answer.status.as_deref() {
            None | Some("") => Self::Done,
            Some(status) => Self::of_word(status),
        };
        match (verdict, answer.reason) {
            (Self::Done, _) if answer.ignored => Self::Ignored,
            (Self::Drop(said), Some(reason)) => Self::Drop(explained(&said, &reason)),
            (Self::Retry { reason: said, status }, Some(reason)) => {
                Self::Retry { reason: explained(&said, &reason), status }
            }
            (verdict, _) => verdict,
        }
    }

    /// Reads an answer to many messages: a verdict for each of `entries`, in their order.
    ///
    /// As in daprd a body without a status for an entry asks for a retry of it.
    pub(super) fn of_many(status: StatusCode, retry_after: bool, body: &[u8], entries: &[String]) -> Vec<Self> {
        if let Some(verdict) = Self::of_status(status, retry_after) {
            return vec![verdict; entries.len()];
        }
        let Ok(answer) = serde_json::from_slice::<BulkAnswer<'_>>(body) else {
            return vec![Self::retry("the app answered without statuses"); entries.len()];
        };
        let words: HashMap<&str, &str> = answer
            .statuses
            .iter()
            .map(|entry| (&*entry.entry_id, entry.status.as_deref().unwrap_or_default()))
            .collect();
        let verdict = |entry: &String| match words.get(entry.as_str()) {
            None | Some(&"") => Self::retry("the app answered no status for it"),
            Some(word) => Self::of_word(word),
        };
        entries.iter().map(verdict).collect()
    }

    fn of_status(status: StatusCode, retry_after: bool) -> Option<Self> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::Drop("the app answered 404".into())),
            StatusCode::SERVICE_UNAVAILABLE if retry_after => Some(Self::Absent),
            status if status.is_success() => None,
            status => {
                let status = status.as_u16();
                Some(Self::Retry { reason: format!("the app answered {status}").into(), status: Some(status) })
            }
        }
    }

    fn of_word(status: &str) -> Self {
        match serde_json::from_value(status.into()) {
            Ok(DeliveryStatus::Success) => Self::Done,
            Ok(DeliveryStatus::Retry) => Self::retry("the app answered RETRY"),
            Ok(DeliveryStatus::Drop) => Self::Drop("the app answered DROP".into()),
            Err(_) => Self::retry("the app answered an unknown status"),
        }
    }
}

/// What the app answered, with the reason that it gave, up to a bound.
fn explained(said: &str, reason: &str) -> Reason {
    let reason: String = reason.chars().take(REASON).collect();
    format!("{said}: {reason}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_they_mean_to_daprd() {
        let verdict =
            |status: u16, body: &str| Verdict::of(StatusCode::from_u16(status).unwrap(), false, body.as_bytes());
        for body in ["", "ok", "{}", r#"{"status":"SUCCESS"}"#, r#"{"status":""}"#, r#"{"status":5}"#, "[1]"] {
            assert_eq!(verdict(200, body), Verdict::Done, "{body}");
        }
        assert_eq!(verdict(204, ""), Verdict::Done);
        assert_eq!(verdict(200, r#"{"status":"SUCCESS","ignored":true}"#), Verdict::Ignored);
        let dropped = verdict(200, r#"{"status":"DROP","reason":"no title"}"#);
        assert_eq!(dropped, Verdict::Drop("the app answered DROP: no title".into()));
        for (status, body) in [
            (200, r#"{"status":"RETRY"}"#),
            (200, r#"{"status":"success"}"#),
            (200, r#"{"status":"WHAT"}"#),
            (500, ""),
            (302, ""),
            (400, ""),
            (503, ""),
        ] {
            assert!(matches!(verdict(status, body), Verdict::Retry { .. }), "{status} {body}");
        }
        assert!(matches!(verdict(200, r#"{"status":"DROP"}"#), Verdict::Drop(_)));
        assert!(matches!(verdict(404, ""), Verdict::Drop(_)));
        assert_eq!(Verdict::of(StatusCode::SERVICE_UNAVAILABLE, true, b""), Verdict::Absent);
    }
    #[test]
    fn each_entry_of_many_has_its_own_verdict() {
        let entries = ["1", "2", "3", "4", "5"].map(str::to_owned);
        let many = |status, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            Verdict::of_many(status, true, body.as_bytes(), &entries)
        };
        let body = r#"{"statuses":[{"entryId":"2","status":"RETRY"},{"entryId":"1","status":"SUCCESS"},
            {"entryId":"3","status":"DROP"},{"entryId":"4"},{"entryId":"9","status":"SUCCESS"}]}"#;
        let verdicts = many(200, body);
        assert_eq!(verdicts[0], Verdict::Done);
        assert_eq!(verdicts[1], Verdict::retry("the app answered RETRY"));
        assert_eq!(verdicts[2], Verdict::Drop("the app answered DROP".into()));
        for verdict in &verdicts[3..] {
            assert_eq!(*verdict, Verdict::retry("the app answered no status for it"));
        }
        for body in ["", "{}", "[]"] {
            assert!(many(200, body).iter().all(|verdict| matches!(verdict, Verdict::Retry { .. })), "{body}");
        }
        assert!(many(404, "").iter().all(|verdict| matches!(verdict, Verdict::Drop(_))));
        assert!(many(503, "").iter().all(|verdict| *verdict == Verdict::Absent));
    }
}
