//! A server's process: its log, its signals, and that it never outlives the test.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::within;

/// How long a server may take to start or to stop on a slow machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A started process with its children.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    guard: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a command; what it prints goes to the file `log` of its folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(name: &'static str, command: &mut Command, folder: &Path) -> Result<Self> {
        let log = folder.join("log");
        let output = File::create(&log).with_context(|| format!("could not make `{}`", log.display()))?;
        // A group of its own: Ctrl-C is for the test, which then ends the server.
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("could not share the log")?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {name} (`{}`)", command.get_program().display()))?;
        // Its input ends with this process, whatever ends that one; then nobody else tidies up.
        let guard = Command::new("/bin/sh")
            .args(["-c", "cat > /dev/null; kill -KILL $0; rm -rf \"$1\"", &child.id().to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("could not start `/bin/sh`")?;
        Ok(Self { name, child, guard, log })
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to its log since it was started.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the server is ready.
    ///
    /// # Errors
    /// When it ends or does not become ready in time; what it logged is part of the error.
    pub(crate) async fn ready(&mut self, mut look: impl AsyncFnMut(&str) -> bool) -> Result<()> {
        let name = self.name;
        let mut ended = None;
        let waited = within(DEADLINE, "the server is ready", async || {
            ended = self.child.try_wait().ok().flatten();
            (ended.is_some() || look(&self.log_text()).await).then_some(())
        });
        let waited = waited.await;
        if let Some(status) = ended {
            bail!("{name} ended with {status}: {}", self.log_text());
        }
        waited.with_context(|| format!("{name} did not become ready: {}", self.log_text()))
    }

    /// Sends a signal to the server's first process.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        send(self.id(), signal).with_context(|| format!("could not signal {}", self.name))
    }

    /// Asks the server to end, and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(crate) async fn end(mut self, signal: Signal) -> Result<ExitStatus> {
        self.signal(signal)?;
        let child = &mut self.child;
        let waited = within(DEADLINE, "the server ends", async || child.try_wait().ok().flatten()).await;
        waited.with_context(|| format!("{} did not stop: {}", self.name, self.log_text()))
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Lets no file of the server's first process grow beyond so many bytes, as a disk does that is full.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn limit_files(&self, bytes: u64) -> Result<()> {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &self.id().to_string(), &format!("--fsize={bytes}:")]);
        let output = prlimit.output().context("could not run `prlimit`")?;
        if !output.status.success() {
            bail!("could not limit the files of {}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Stops the server's processes where they are, or lets them go on: its connections stay open and nobody answers.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn freeze(&self, frozen: bool) -> Result<()> {
        self.signal(if frozen { Signal::STOP } else { Signal::CONT })?;
        for child in children(self.id()) {
            // One that has ended by itself needs no signal.
            let _ended = send(child, if frozen { Signal::STOP } else { Signal::CONT });
        }
        Ok(())
    }
}

impl Drop for Server {
    /// Ends all of the server's processes at once, as a power cut would.
    fn drop(&mut self) {
        if self.ended().is_none() {
            // None of them makes another one while its children are looked for.
            let _stopped = self.signal(Signal::STOP);
            let children = children(self.id());
            let _killed = self.child.kill();
            let _status = self.child.wait();
            children.into_iter().for_each(|child| {
                let _ended = send(child, Signal::KILL);
            });
        }
        // Before its input ends: the process id may be another process's soon.
        let _killed = self.guard.kill();
        let _status = self.guard.wait();
    }
}

fn send(process: u32, signal: Signal) -> Result<()> {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).context("a process id")?;
    Ok(kill_process(id, signal)?)
}

/// The processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name, in brackets, may hold anything; then come the state and the parent.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        parent.and_then(|parent| parent.parse().ok()) == Some(of)
    })
    .collect()
}
