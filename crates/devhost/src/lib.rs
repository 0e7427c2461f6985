//! Runs a Spin application (`spin.toml`) on wasmtime: the HTTP trigger of Spin, for one machine.
//!
//! One process, one manifest, one port.
//! Each request gets a fresh instance of its component, with bounded memory, time and number.
//! It knows WASI 0.2, `wasi:http` and Spin's manifest; it refuses to know what the components do
//! and what they talk to.
//!
//! Parts, in the order in which a start uses them:
//!
//! - `manifest`: reads `spin.toml` and refuses by name what is not supported;
//! - `variables`: finds the value of each application variable and fills the templates;
//! - `allowed_hosts`, `files`, `routes`: what a component may call, read and answer;
//! - `engine`, `cache`, `component`: compiles each component once and keeps it ready;
//! - `guest`, `outbound`: one call of one component, and the requests that it makes;
//! - `server`: the HTTP/1.1 server and its end.
//!
//! ```no_run
//! # async fn example() -> Result<(), devhost::StartError> {
//! let mut config = devhost::Config::new("spin.toml", ".cache/devhost");
//! config.listen = ([127, 0, 0, 1], 3000).into();
//! let running = devhost::start(config).await?;
//! println!("serving on http://{}", running.local_addr());
//! running.shutdown(std::time::Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```

mod allowed_hosts;
mod cache;
mod component;
mod config;
mod engine;
pub mod env;
mod error;
mod files;
mod guest;
mod manifest;
mod measure;
mod open_files;
mod outbound;
mod routes;
mod server;
mod start;
mod variables;

pub use config::{Config, Limits};
pub use error::StartError;
pub use manifest::ManifestError;
pub use measure::{InstanceTimes, measure_instances};
pub use open_files::raise_open_files;
pub use server::Running;
pub use start::{start, start_on};
