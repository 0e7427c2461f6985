//! The command `backends`.

use std::process::{Command, Output};

fn backends(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_backends")).args(arguments).output().expect("the command is built")
}

#[test]
fn a_command_runs_beside_its_servers() {
    let shell = r#"test -n "$POSTGRES_URL" -a -n "$KAFKA_BROKERS" && echo ran"#;
    let output = backends(&["postgres", "kafka", "--", "sh", "-c", shell]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ran\n");
}

#[test]
fn a_command_that_fails_fails() {
    assert!(!backends(&["--", "false"]).status.success());
}

#[test]
fn what_is_no_server_is_named() {
    for arguments in [&["oracle", "--", "true"][..], &["postgres"]] {
        let output = backends(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains("expected `backends"), "{text}");
    }
}
