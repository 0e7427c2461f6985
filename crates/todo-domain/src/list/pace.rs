//! How fast a user may write: a bucket that fills evenly and holds what a minute allows (the generic cell rate algorithm).
//!
//! Its whole state is one instant in the head, which every write stores anyway: the moment at which the bucket is full again.

use jiff::Timestamp;

use super::TaskList;

const MINUTE_MS: i64 = 60_000;

/// A write that came too soon after too many others. Nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more writes than a minute allows: the next is taken in {wait_seconds} s")]
pub struct TooFast {
    /// Whole seconds after which a write is taken; at least 1.
    pub wait_seconds: u32,
}

impl TaskList {
    /// Spends one of the writes that the user has, of `per_minute` each minute; stored with the next write.
    /// More than 60,000 a minute are no bound at all.
    ///
    /// # Errors
    /// [`TooFast`] when none is left.
    pub fn spend_write(&mut self, per_minute: u32, now: Timestamp) -> Result<(), TooFast> {
        let each = MINUTE_MS / i64::from(per_minute.max(1));
        let now = now.as_millisecond();
        // A clock that was set back must not lock anyone out: no bucket is emptier than empty.
        let full_again = self.head.paced_until.unwrap_or(now).clamp(now, now + MINUTE_MS);
        let early = full_again + each - (now + MINUTE_MS);
        if early > 0 {
            return Err(TooFast { wait_seconds: u32::try_from((early + 999) / 1000).unwrap_or(u32::MAX) });
        }
        self.head.paced_until = Some(full_again + each);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(1_772_355_600_000 + millisecond).unwrap()
    }

    fn list() -> TaskList {
        TaskList::empty(UserId::new(uuid::Uuid::from_u128(1)))
    }

    #[test]
    fn a_minutes_writes_may_come_at_once_and_then_come_evenly() {
        let mut list = list();
        for _ in 0..60 {
            assert_eq!(list.spend_write(60, at(0)), Ok(()));
        }
        assert_eq!(list.spend_write(60, at(0)), Err(TooFast { wait_seconds: 1 }));
        assert_eq!(list.spend_write(60, at(999)), Err(TooFast { wait_seconds: 1 }));
        assert_eq!(list.spend_write(60, at(1000)), Ok(()));
        assert_eq!(list.spend_write(60, at(1000)), Err(TooFast { wait_seconds: 1 }));
    }

    #[test]
    fn a_clock_that_was_set_back_costs_a_minute_at_most() {
        let mut list = list();
        assert_eq!(list.spend_write(2, at(86_400_000)), Ok(()));
        assert_eq!(list.spend_write(2, at(0)), Err(TooFast { wait_seconds: 30 }));
        assert_eq!(list.spend_write(2, at(30_000)), Err(TooFast { wait_seconds: 30 }));
    }
}
