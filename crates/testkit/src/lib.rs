//! Starts the application on free ports and speaks to it fluently, for scenarios and benchmarks.
//!
//! Everything is the real thing: the built command `todo`, the built components, HTTP.
//! `cargo xtask test` builds what it needs; a scenario that finds nothing built says so.
//!
//! - [`Todo`]: one running application with a data folder of its own, and the means to stop, kill and start it again;
//! - [`User`]: a signed-in user, and [`Answer`]: what the application answered;
//! - [`Updates`]: the stream of a user's updates;
//! - [`eventually`]: waits for a state, with a deadline.

mod answer;
mod events;
mod process;
mod servers;
mod sidecar;
mod stock;
mod updates;
mod user;

pub use backends::{eventually, within};

pub use self::answer::Answer;
pub use self::events::SeenEvent;
pub use self::process::{Todo, TodoOptions, todo_binary, workspace_root};
pub use self::servers::needs_a_file;
pub use self::stock::{Stock, needs_sidelet, with_daprd};
pub use self::updates::{Update, Updates};
pub use self::user::User;
