//! How often, and after which waits, something is tried again.

use std::time::Duration;

use super::jitter;

/// The first wait of an exponential policy, and by what each further one grows: Dapr's own values.
const FIRST: Duration = Duration::from_millis(500);
const GROWTH: f64 = 1.5;

/// A named retry policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Retry {
    /// How the waits go.
    pub(crate) waits: Waits,
    /// Tries after the first. None: without end.
    pub(crate) most: Option<u32>,
    /// The HTTP statuses that are tried again. Empty: all.
    pub(crate) statuses: Vec<(u16, u16)>,
}

/// How waits follow one another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Waits {
    /// Always the same.
    Constant(Duration),
    /// Growing to this one, each up to half shorter or longer by chance.
    Exponential(Duration),
}

impl Retry {
    /// Whether there is another try after `failures` failures, the last with `status` if it was an HTTP status.
    pub(crate) fn goes_on(&self, failures: u32, status: Option<u16>) -> bool {
        self.most.is_none_or(|most| failures <= most) && self.takes(status)
    }

    fn takes(&self, status: Option<u16>) -> bool {
        match status {
            Some(status) if !self.statuses.is_empty() => {
                self.statuses.iter().any(|(first, last)| (*first..=*last).contains(&status))
            }
            _ => true,
        }
    }

    /// The wait after `failures` failures.
    pub(crate) fn wait(&self, failures: u32) -> Duration {
        match self.waits {
            Waits::Constant(wait) => wait,
            Waits::Exponential(longest) => {
                let grown =
                    FIRST.as_secs_f64() * GROWTH.powi(i32::try_from(failures.saturating_sub(1).min(64)).unwrap_or(64));
                Duration::from_secs_f64(grown.min(longest.as_secs_f64())).mul_f64(0.5 + jitter()).min(longest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_ends_where_it_says() {
        let retry = Retry {
            waits: Waits::Constant(Duration::from_secs(5)),
            most: Some(2),
            statuses: vec![(429, 429), (500, 599)],
        };
        assert!(retry.goes_on(2, Some(500)) && retry.goes_on(1, Some(429)) && retry.goes_on(1, None));
        assert!(!retry.goes_on(3, Some(500)) && !retry.goes_on(1, Some(400)));
        assert_eq!(retry.wait(9), Duration::from_secs(5));
    }

    #[test]
    fn waits_grow_to_the_longest() {
        let retry = Retry { waits: Waits::Exponential(Duration::from_secs(15)), most: None, statuses: Vec::new() };
        assert!(retry.goes_on(u32::MAX, Some(400)));
        for (failures, middle) in [(1, 500), (2, 750), (3, 1125)] {
            let wait = retry.wait(failures).as_millis();
            assert!(wait >= middle / 2 && wait <= middle * 3 / 2, "{failures}: {wait}");
        }
        assert!(retry.wait(u32::MAX) <= Duration::from_secs(15));
    }
}
