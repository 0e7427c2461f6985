//! The command `sidelet`: daprd's command line over the library.

use std::{
    error::Error,
    io::{IsTerminal, Write},
    process::ExitCode,
};

use sidelet::{CommandLine, Config};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// What is shown for `--help`.
const HELP: &str = "\
sidelet, a small drop-in for the Dapr sidecar

sidelet migrate --resources-path <...>   brings the tables of all databases up to date, and ends
sidelet                                  serves:

  --app-id <id>                          owner of the keys in the state stores (default: sidelet)
  --app-port <port>                      where the app of that id listens
  --app-channel-address <host>           on which host (default: 127.0.0.1)
  --app <id>=<http://host:port>          another app; repeat for more
  --dapr-http-port <port>                port of the API (default: 3500, or DAPR_HTTP_PORT)
  --dapr-listen-addresses <ip,ip>        addresses of the API (default: 127.0.0.1)
  --resources-path <folder or file>      components and subscriptions; repeat for more
  --config <file>                        configuration: API log and access, scopes of secrets, metrics
  --data-directory <folder>              where relative connection strings start (default: .)
  --max-body-size <size>                 longest request body (default: 4Mi)
  --dapr-graceful-shutdown-seconds <n>   how long work in flight is waited for (default: 5)
  --enable-api-logging                   log every call of the API
  --enable-metrics=<true or false>       serve metrics for Prometheus (default: true)
  --metrics-port <port>                  port of the metrics (default: 9090)
  --metrics-listen-address <ip>          address of the metrics (default: 127.0.0.1)
  --scaler-port <port>                   port of KEDA's external push scaler, on the addresses of the API (default: 0, none)
  --log-level <level>                    debug, info, warn or error (default: info)
  --log-as-json                          one JSON object for each line of the log

sidelet topics apply <folder or file>... --brokers <host:port>
  makes and updates Kafka's topics as files of kind KafkaTopic define them; may be repeated.
  With --resources-path in place of --brokers the connection is that of a component pubsub.kafka.

DAPR_API_TOKEN is asked of callers, APP_API_TOKEN is sent to apps.
daprd's other flags are accepted and change nothing.
While another process has the database, it waits and is not ready.
SIGHUP, or a change of a file, reads subscriptions and resiliency again.
Exit codes: 0 ended well, 1 ended with work in flight, 2 arguments, 3 resources, 4 stores, 5 address.
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let information = match arguments.first().map(String::as_str) {
        Some("--help" | "-h") => Some(HELP.to_owned()),
        Some("--version") => Some(format!("sidelet {}\n", env!("CARGO_PKG_VERSION"))),
        _ => None,
    };
    if let Some(information) = information {
        // A closed pipe reads no more.
        let _ = std::io::stdout().write_all(information.as_bytes());
        return ExitCode::SUCCESS;
    }
    if arguments.first().is_some_and(|argument| argument == "topics") {
        return topics(arguments.into_iter().skip(1).collect());
    }
    let migrates = arguments.first().is_some_and(|argument| argument == "migrate");
    if migrates {
        arguments.remove(0);
    }
    let line = match CommandLine::parse(arguments, |name| std::env::var(name).ok()) {
        Ok(line) => line,
        Err(error) => return refuse(&error, error.exit_code()),
    };
    start_log(&line);
    // A connection is an open file, and the usual limit is far below what is accepted.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    if !line.without_effect.is_empty() {
        tracing::warn!(flags = %line.without_effect.join(" "), "these flags of daprd's have no effect here");
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) if migrates => runtime.block_on(migrate(line.config)),
        Ok(runtime) => runtime.block_on(run(line.config)),
        Err(error) => refuse(&error, 1),
    }
}

async fn migrate(config: Config) -> ExitCode {
    match sidelet::migrate(config).await {
        Ok(lines) => {
            let text = if lines.is_empty() {
                "no component has tables to bring up to date\n".to_owned()
            } else {
                lines.join("\n") + "\n"
            };
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => refuse(&error, error.exit_code()),
    }
}

/// `sidelet topics apply` is for Kafka.
#[cfg(not(feature = "kafka"))]
fn topics(_: Vec<String>) -> ExitCode {
    let message = "this build has no Kafka: take one with the feature `kafka`".to_owned();
    refuse(&sidelet::StartError::Arguments { message }, 2)
}

/// `sidelet topics apply`: a line for each topic on the standard output.
#[cfg(feature = "kafka")]
fn topics(arguments: Vec<String>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error, 1),
    };
    let tell = |line: &str| drop(writeln!(std::io::stdout(), "{line}"));
    match runtime.block_on(sidelet::topics(arguments, tell)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error, error.exit_code()),
    }
}

async fn run(config: Config) -> ExitCode {
    let grace = config.graceful_shutdown;
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else {
        tracing::error!("signals cannot be received");
        return ExitCode::FAILURE;
    };
    // Another process may have the database for long.
    let started = tokio::select! {
        started = sidelet::start(config) => started,
        _ = terminate.recv() => return ExitCode::SUCCESS,
        _ = interrupt.recv() => return ExitCode::SUCCESS,
    };
    let running = match started {
        Ok(running) => running,
        Err(error) => return refuse(&error, error.exit_code()),
    };
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = running.asked_to_stop() => break,
            _ = hangup.recv() => running.reload().await,
        }
    }
    match running.shutdown(grace).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error, 1),
    }
}

/// One line, with the cause.
fn refuse(error: &dyn Error, code: u8) -> ExitCode {
    let mut line = format!("sidelet: {error}");
    if let Some(source) = error.source() {
        line.push_str(&format!(": {source}"));
    }
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::from(code)
}

fn start_log(line: &CommandLine) {
    let filter = std::env::var(sidelet::env::LOG).ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::new(filter.as_deref().unwrap_or(&line.log_level));
    let coloured = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(coloured);
    if line.log_as_json { log.json().init() } else { log.init() }
}
