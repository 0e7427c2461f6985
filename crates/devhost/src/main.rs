//! Serves a Spin application on this machine: `devhost --from spin.toml`.

mod arguments;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// `EX_CONFIG` of sysexits: the configuration is wrong, and starting again does not help.
const BAD_CONFIGURATION: u8 = 78;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("devhost: could not start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: arguments::Arguments) -> ExitCode {
    // Before anything starts: whoever reads that it serves may stop it at once.
    let mut stop = match StopSignal::listen() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("devhost: could not listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    };
    devhost::raise_open_files();
    let grace = arguments.grace();
    let running = match devhost::start(arguments.into_config()).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("devhost: {:#}", anyhow::Error::new(error));
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    println!("Serving http://{}", running.local_addr());
    stop.received().await;
    tracing::info!("draining");
    if !running.shutdown(grace).await {
        tracing::warn!("requests in flight were cut after the grace time");
    }
    ExitCode::SUCCESS
}

/// Notices that the process is told to stop, from its making on.
struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Ends when the process is, or was, told to stop.
    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
