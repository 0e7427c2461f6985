//! The command `todo`: runs the application on one machine, loads data into it, and shows an operator what is going on.
//!
//! It joins devhost and sidelet and knows neither's inside, nor what a task is.

mod inspect;
mod keys;
mod load;
mod replay;
mod sidecar;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a shell takes for a bad configuration (sysexits' `EX_CONFIG`).
const EXIT_CONFIGURATION: u8 = 78;

/// A todo service whose every handler is a WebAssembly component.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the application with everything it needs, on one machine.
    Up(up::Options),
    /// Loads tasks from a file through the API: JSON, Todoist's CSV, or iCalendar.
    Load(load::Options),
    /// Puts dead letters back into the topics that they came from, each once.
    ///
    /// Run it when the handler is mended. It asks the sidecar of the running service over HTTP; while the service is
    /// down it works on the data folder, and the next start delivers. What was put back is noted in the same
    /// transaction: run twice, at the same time, or killed in between, it puts nothing back a second time.
    Replay(replay::Options),
    /// Shows consumer groups, the way of an event, dead letters with their reasons, and a user's list.
    ///
    /// It changes nothing. Like `replay` it asks the running service, or opens the data of one that is down.
    Inspect(inspect::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("TODO_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("could not start the runtime")),
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Up(options) => up::run(options).await,
            Command::Load(options) => load::run(options).await,
            Command::Replay(options) => replay::run(options).await,
            Command::Inspect(options) => inspect::run(options).await,
        }
    });
    match outcome {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// One line with the whole chain of causes.
fn fail(error: &anyhow::Error) -> ExitCode {
    let mut line = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors repeat their cause in their own sentence.
        if !line.contains(&cause) {
            line.push_str(": ");
            line.push_str(&cause);
        }
    }
    eprintln!("error: {line}");
    ExitCode::from(EXIT_CONFIGURATION)
}
