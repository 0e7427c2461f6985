//! One call of one component: its state, its bounds and its end.

mod call;
mod memory;
mod meter;
mod output;
mod state;
pub(crate) mod variables;

pub(crate) use call::{Call, Failure, GuestResponse, Host, instantiate};
pub(crate) use state::GuestState;
