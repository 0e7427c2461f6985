//! What `helm history` says of a release, and what it means for the next deployment.

use serde_json::Value;

/// What has to be done before anything else: Helm refuses to touch a release of which it believes that it is being changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// Nobody was cut off.
    Nothing,
    /// Back to this revision.
    GoBack(u64),
    /// There is none that ever ran.
    Remove,
}

/// The revision that runs.
pub(super) fn deployed(history: &Value) -> Option<u64> {
    let runs = history.as_array()?.iter().rev().find(|release| release["status"] == "deployed")?;
    runs["revision"].as_u64()
}

/// What to do about a Helm that was killed: the last revision is still `pending-install`, `-upgrade` or `-rollback`.
pub(super) fn mend(history: &Value) -> Mend {
    let Some(last) = history.as_array().and_then(|revisions| revisions.last()) else {
        return Mend::Nothing;
    };
    let status = last["status"].as_str().unwrap_or_default();
    if !status.starts_with("pending-") {
        return Mend::Nothing;
    }
    // What still counts as deployed is what the rollback was to lead away from.
    let led_to = last["description"].as_str().and_then(|text| text.strip_prefix("Rollback to ")?.parse().ok());
    match led_to.filter(|_| status == "pending-rollback").or_else(|| deployed(history)) {
        Some(revision) => Mend::GoBack(revision),
        None => Mend::Remove,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Revisions from 1 on.
    fn history(revisions: &[(&str, &str)]) -> Value {
        let revision = |(index, (status, description)): (usize, &(&str, &str))| json!({"revision": index + 1, "status": status, "description": description, "chart": "todo-0.1.0"});
        revisions.iter().enumerate().map(revision).collect()
    }

    #[test]
    fn the_way_back_leads_to_what_runs() {
        let failed = history(&[("superseded", ""), ("deployed", "Upgrade complete"), ("failed", "timed out")]);
        assert_eq!(deployed(&failed), Some(2));
        assert_eq!(deployed(&Value::Null), None);
        assert_eq!(deployed(&history(&[("failed", "")])), None);
    }

    #[test]
    fn a_release_that_nobody_cut_off_is_left_alone() {
        for revisions in [&[("deployed", "Install complete")][..], &[("deployed", ""), ("failed", "")], &[]] {
            assert_eq!(mend(&history(revisions)), Mend::Nothing, "{revisions:?}");
        }
        assert_eq!(mend(&Value::Null), Mend::Nothing);
    }

    #[test]
    fn an_upgrade_that_was_cut_off_goes_back_to_what_ran() {
        let cut =
            history(&[("superseded", ""), ("deployed", ""), ("failed", ""), ("pending-upgrade", "Preparing upgrade")]);
        assert_eq!(mend(&cut), Mend::GoBack(2));
    }

    #[test]
    fn a_rollback_that_was_cut_off_goes_where_it_was_to_lead() {
        let cut = history(&[("superseded", ""), ("deployed", ""), ("pending-rollback", "Rollback to 1")]);
        assert_eq!(mend(&cut), Mend::GoBack(1));
        let untold = history(&[("superseded", ""), ("deployed", ""), ("pending-rollback", "")]);
        assert_eq!(mend(&untold), Mend::GoBack(2));
    }

    #[test]
    fn a_first_installation_that_was_cut_off_is_removed() {
        assert_eq!(mend(&history(&[("pending-install", "Initial install underway")])), Mend::Remove);
        assert_eq!(mend(&history(&[("failed", ""), ("pending-upgrade", "")])), Mend::Remove);
    }
}
