//! Starts real PostgreSQL, Kafka and daprd on free loopback ports, and breaks them, for tests and benchmarks.
//!
//! Each server has a data folder of its own and ends with its value, and with the test process, however that ends.
//! `cargo xtask test` installs PostgreSQL and Kafka; a server that is not installed says what to run.
//! No server's client is here: databases are made with `psql`, and topics are made by whoever publishes.
//!
//! - [`Postgres`] and [`Kafka`]: a server that can be stopped, killed, paused and started again;
//!   `shared()` is one for the whole test process, for tests that break nothing;
//! - [`Daprd`]: a daprd that is given as a program, or another sidecar with its flags;
//! - [`Certificates`]: an authority and what it signed, for servers and clients with TLS;
//! - [`eventually`]: waits for a state, with a deadline.
//!
//! The command `backends` runs tests in other languages beside a server.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let mut postgres = backends::Postgres::start().await?;
//! let url = postgres.create_database().await?;
//! postgres.kill();
//! postgres.start_again().await?;
//! assert_eq!(postgres.query(&url, "select 1").await?, "1");
//! # Ok(())
//! # }
//! ```

mod certificates;
mod daprd;
mod kafka;
mod ports;
mod postgres;
mod server;
mod wait;

pub use self::certificates::Certificates;
pub use self::daprd::{Daprd, DaprdOptions};
pub use self::kafka::{Kafka, KafkaOptions};
pub use self::postgres::Postgres;
pub use self::wait::{eventually, within};
