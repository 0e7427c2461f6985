use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::support::{Application, shared_cache, until};

pub(super) fn devhost(application: &Application) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_devhost"));
    command
        .arg("--from")
        .arg(application.folder.path())
        .arg("--cache-dir")
        .arg(shared_cache())
        .args(["--listen", "127.0.0.1:0", "--max-instances", "4"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Kills the process if the test ends before it does.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn it_serves_logs_and_ends_on_sigterm() {
    let application = Application::new(
        "[variables]\nname = { required = true }\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"guest\"\n\
         [component.guest]\nsource = \"GUEST\"\nvariables = { name = \"{{ name }}\" }\n",
    );
    let mut command = devhost(&application);
    command.env("SPIN_VARIABLE_NAME", "from environment");
    let mut process = Process(command.spawn().unwrap());
    let mut line = String::new();
    let mut output = BufReader::new(process.0.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("Serving ").unwrap().to_owned();
    let get = |path: &str| {
        let url = format!("{url}{path}");
        async { reqwest::get(url).await.unwrap().text().await.unwrap() }
    };
    assert_eq!(get("/variable/name").await, "from environment");
    get("/print/something").await;
    let killed = Command::new("kill").arg(process.0.id().to_string()).status();
    assert!(killed.unwrap().success());
    assert!(process.0.wait().unwrap().success());
    let mut log = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("guest: printed something"), "{log}");
    assert!(log.contains("guest: without end"), "{log}");
}

#[tokio::test]
async fn whoever_reads_that_it_serves_may_stop_it_at_once() {
    let application = Application::with_guest("");
    for _ in 0..5 {
        let mut process = Process(devhost(&application).spawn().unwrap());
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("Serving "), "{line}");
        let killed = Command::new("kill").arg(process.0.id().to_string()).status();
        assert!(killed.unwrap().success());
        let status = process.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

#[tokio::test]
async fn a_signal_while_it_starts_stops_it_well() {
    let application = Application::with_guest("");
    let mut process = Process(devhost(&application).spawn().unwrap());
    // Linux shows, bit by bit, the signals that a process catches: the 15th is SIGTERM.
    let catches = |id: u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        Some(u64::from_str_radix(mask.trim(), 16).ok()? >> 14 & 1 == 1)
    };
    until("SIGTERM is caught", || catches(process.0.id()) == Some(true)).await;
    let killed = Command::new("kill").arg(process.0.id().to_string()).status();
    assert!(killed.unwrap().success());
    let status = process.0.wait().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_bad_configuration_is_one_line_and_code_78() {
    let application = Application::with_manifest("spin_manifest_version = 1\n");
    let output = devhost(&application).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].contains("`spin_manifest_version` is `1`"), "{text}");
}
