//! Runs a command beside servers, for tests that are not written in Rust: `backends postgres kafka -- node --test`.
//!
//! The command finds them by the variables `POSTGRES_URL` (an empty database) and `KAFKA_BROKERS`; they end with it.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use backends::{Kafka, Postgres};
use tokio::process::Command;

const USAGE: &str = "expected `backends [postgres] [kafka] -- <command> <argument>...`";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let servers: Vec<String> = arguments.by_ref().take_while(|argument| argument != "--").collect();
    let program = arguments.next().context(USAGE)?;
    let mut command = Command::new(&program);
    command.args(arguments);
    // They end when these are dropped.
    let (mut postgres, mut kafka) = (None, None);
    for server in servers {
        match server.as_str() {
            "postgres" => {
                let started = postgres.insert(Postgres::start().await?);
                command.env("POSTGRES_URL", started.create_database().await?);
            }
            "kafka" => {
                let started = kafka.insert(Kafka::start().await?);
                command.env("KAFKA_BROKERS", started.brokers());
            }
            _ => bail!("there is no server `{server}`: {USAGE}"),
        }
    }
    let status = command.status().await.with_context(|| format!("could not run `{program}`"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
