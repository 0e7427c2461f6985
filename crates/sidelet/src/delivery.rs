//! Brings messages to the apps that subscribe: in order per key, at least once.
//!
//! Each consumer group (an app and a subscription) is one task ([`group`]) that reads ahead in every partition
//! ([`window`]), posts to the app ([`caller`]) and notes what is finished. A message that fails is tried again later and
//! holds up its own key alone. An app that is not there is waited for.
//! What may change while a group is at work are its [`Terms`].

mod backoff;
mod bulk;
mod caller;
mod group;
mod source;
mod status;
mod terms;
mod verdict;
mod window;

pub(crate) use backoff::after_absences;
pub(crate) use caller::{Caller, Reached};
pub(crate) use group::Group;
pub(crate) use status::{GroupState, Status, Trouble};
pub(crate) use terms::Terms;
