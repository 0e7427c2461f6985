//! The command itself, as a process.

use std::process::{Command, Output};

fn todo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_todo")).args(arguments).output().expect("the built command starts")
}

#[test]
fn help_names_every_command() {
    let output = todo(&["--help"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && ["up", "load", "replay", "inspect"].iter().all(|name| text.contains(name)),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_loaded_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("tasks.txt"), "milk").unwrap();
    std::fs::write(path("tasks.json"), "{\"tasks\": 7}").unwrap();
    for (file, reason) in [
        (path("absent.json"), "could not read"),
        (path("tasks.txt"), "does not end in .json, .csv or .ics"),
        (path("tasks.json"), "is not a file of tasks"),
    ] {
        let output = todo(&["load", &file]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{text}");
        assert!(text.contains(reason) && text.trim().lines().count() == 1, "{text}");
    }
}

#[test]
fn without_data_an_operator_is_told_what_to_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for arguments in [&["replay", "t-dlq", "--data", data][..], &["inspect", "groups", "--data", data]] {
        let output = todo(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{text}");
        assert!(text.contains("--data") && text.contains("--sidecar") && text.trim().lines().count() == 1, "{text}");
    }
}

#[test]
fn a_service_elsewhere_needs_an_account_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tasks.json");
    std::fs::write(&file, "[]").unwrap();
    let output = todo(&["load", file.to_str().unwrap(), "--url", "http://todo.invalid"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--email and --password"), "{text}");
}
