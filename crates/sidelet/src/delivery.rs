//! Brings messages to the apps that subscribe: in order per key, at least once.
//!
//! Each consumer group (an app and a subscription) is one task ([`group`]) that reads ahead in every partition
//! ([`window`]), posts to the app ([`caller`]) and notes what is finished. A message that fails is tried again later and
//! holds up its own key alone. An app that is not there is waited for.

mod backoff;
mod caller;
mod group;
mod verdict;
mod window;

pub(crate) use caller::Caller;
pub(crate) use group::Group;
