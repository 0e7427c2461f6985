//! What an app's answer means for a message.

use std::borrow::Cow;

use dapr::DeliveryStatus;
use http::StatusCode;
use serde::Deserialize;

/// What becomes of a message after one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is finished.
    Done,
    /// It comes again. The reason is for the log and the dead letter.
    Retry(Cow<'static, str>),
    /// The app will never take it.
    Drop(Cow<'static, str>),
    /// The app is not there; the message was not judged.
    Absent,
}

#[derive(Deserialize)]
struct Answer<'body> {
    #[serde(borrow, default)]
    status: Option<Cow<'body, str>>,
}

impl Verdict {
    /// Dapr's name in the metrics. An app that is not there has judged nothing.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Done => Some("success"),
            Self::Retry(_) => Some("retry"),
            Self::Drop(_) => Some("drop"),
            Self::Absent => None,
        }
    }

    /// Reads an answer as daprd does, but for a 503 with `Retry-After`, by which an app's host says that it is away.
    pub(super) fn of(status: StatusCode, retry_after: bool, body: &[u8]) -> Self {
        if status == StatusCode::NOT_FOUND {
            return Self::Drop("the app answered 404".into());
        }
        if status == StatusCode::SERVICE_UNAVAILABLE && retry_after {
            return Self::Absent;
        }
        if !status.is_success() {
            return Self::Retry(format!("the app answered {}", status.as_u16()).into());
        }
        // A body that says nothing about the message acknowledges it.
        let Ok(answer) = serde_json::from_slice::<Answer<'_>>(body) else { return Self::Done };
        match answer.status.as_deref() {
            None | Some("") => Self::Done,
            Some(status) => match serde_json::from_value(status.into()) {
                Ok(DeliveryStatus::Success) => Self::Done,
                Ok(DeliveryStatus::Retry) => Self::Retry("the app answered RETRY".into()),
                Ok(DeliveryStatus::Drop) => Self::Drop("the app answered DROP".into()),
                Err(_) => Self::Retry("the app answered an unknown status".into()),
            },
        }
    }
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
        for (status, body) in [
            (200, r#"{"status":"RETRY"}"#),
            (200, r#"{"status":"success"}"#),
            (200, r#"{"status":"WHAT"}"#),
            (500, ""),
            (302, ""),
            (400, ""),
            (503, ""),
        ] {
            assert!(matches!(verdict(status, body), Verdict::Retry(_)), "{status} {body}");
        }
        assert!(matches!(verdict(200, r#"{"status":"DROP"}"#), Verdict::Drop(_)));
        assert!(matches!(verdict(404, ""), Verdict::Drop(_)));
        assert_eq!(Verdict::of(StatusCode::SERVICE_UNAVAILABLE, true, b""), Verdict::Absent);
    }
}
