//! The table.

mod bindings;
mod bulk;
mod delivery;
mod envelope;
mod health;
mod invoke;
mod jobs;
mod outbox;
mod publish;
mod routing;
mod secrets;
mod shutdown;
mod state;
mod tokens;
mod transactions;

use crate::case::Case;

/// Every case, in the order of the page.
pub fn all() -> Vec<Case> {
    [
        state::cases(),
        transactions::cases(),
        publish::cases(),
        envelope::cases(),
        bulk::cases(),
        routing::cases(),
        delivery::cases(),
        outbox::cases(),
        bindings::cases(),
        jobs::cases(),
        secrets::cases(),
        invoke::cases(),
        health::cases(),
        tokens::cases(),
        shutdown::cases(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_case_has_an_id_of_its_own() {
        let cases = all();
        let ids: BTreeSet<_> = cases.iter().map(|case| case.id).collect();
        assert_eq!(ids.len(), cases.len());
    }
}
