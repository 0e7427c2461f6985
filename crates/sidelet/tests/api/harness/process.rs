//! The real binary as a process of its own, which a test may kill.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread::JoinHandle,
};

use super::{Api, Place};

/// The library that gives a process another clock, as Debian installs it.
pub(crate) fn faketime() -> PathBuf {
    let places = std::fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
    let mut libraries = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.is_file()).expect("libfaketime is missing: run `cargo xtask test`")
}

/// A running `sidelet`.
pub(crate) struct Process {
    pub(crate) api: Api,
    /// Where Prometheus may read.
    metrics: Option<String>,
    child: Child,
    log: JoinHandle<String>,
}

impl Process {
    /// A command with the resources and the data of `place`, on a free port.
    pub(crate) fn command(place: &Place) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sidelet"));
        command.args(["--app-id", "todo", "--dapr-http-port", "0", "--metrics-port", "0", "--log-as-json"]);
        command.arg("--resources-path").arg(place.path().join("resources"));
        command.arg("--data-directory").arg(place.path().join("data"));
        if place.configured {
            command.arg("--config").arg(place.path().join("configuration.yaml"));
        }
        for (id, address) in &place.apps {
            command.arg("--app").arg(format!("{id}={address}"));
        }
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Starts it and reads its port from its log.
    pub(crate) fn start(place: &Place) -> Self {
        Self::spawn(&mut Self::command(place))
    }

    /// Starts it where no file can grow beyond `blocks` of 512 bytes, until [`Process::lift_limit`].
    pub(crate) fn start_limited(place: &Place, blocks: usize) -> Self {
        let plain = Self::command(place);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\""));
        command.arg(plain.get_program()).args(plain.get_args());
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        Self::spawn(&mut command)
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_until(command, "sidelet serves")
    }

    /// Starts it beside another one with the same files, for whose end it waits.
    pub(crate) fn start_waiting(place: &Place) -> Self {
        Self::spawn_until(&mut Self::command(place), "another process has the database")
    }

    /// Starts it, and reads its log until a line has this text and its port.
    fn spawn_until(command: &mut Command, ready: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut text = String::new();
        let line = loop {
            let line = log.next().expect("the process ended before it served").unwrap();
            text.push_str(&format!("{line}\n"));
            if line.contains(ready) {
                break line;
            }
        };
        let port = |field: &str| {
            let (_, rest) = line.split_once(&format!("\"{field}\":\"[127.0.0.1:"))?;
            Some(format!("http://127.0.0.1:{}", rest.chars().take_while(char::is_ascii_digit).collect::<String>()))
        };
        let (address, metrics) = (port("addresses").unwrap(), port("metrics"));
        // What is not read would stop the process at some time.
        let log = std::thread::spawn(move || {
            log.map_while(Result::ok).for_each(|line| text.push_str(&format!("{line}\n")));
            text
        });
        Self { api: Api::new(address), metrics, child, log }
    }

    /// Lets files grow again, as a disk does that was tidied.
    pub(crate) fn lift_limit(&self) {
        let process = self.child.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:unlimited"]).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to end, and gives all that it logged.
    pub(crate) async fn terminate_with_log(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = tokio::task::spawn_blocking(move || (self.child.wait().unwrap(), self.log.join().unwrap()));
        status.await.unwrap()
    }

    /// Where Prometheus may read, as `http://host:port`.
    pub(crate) fn metrics(&self) -> String {
        self.metrics.clone().expect("metrics are served")
    }

    /// Bytes of memory that it has.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Ends it as a power cut would, as far as a process can see.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to end, and waits, while the app of the test goes on answering.
    pub(crate) async fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.wait().await
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn wait(mut self) -> ExitStatus {
        tokio::task::spawn_blocking(move || self.child.wait()).await.unwrap().unwrap()
    }
}
