//! The sidecar is away: 503 with Retry-After, and nothing else.

use std::process::Stdio;

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::json;
use testkit::{todo_binary, workspace_root};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test]
async fn without_its_sidecar_the_service_says_when_to_come_back() -> Result<()> {
    // A port that nobody listens on any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut host = tokio::process::Command::new(todo_binary()?.with_file_name("devhost"))
        .arg("--from")
        .arg(workspace_root().join("spin.toml"))
        .args(["--listen", "127.0.0.1:0", "--variable", &format!("dapr_url=http://{gone}")])
        .args(["--variable", &format!("signing_key={}", "k".repeat(32)), "--cache-dir"])
        .arg(workspace_root().join("target/devhost-cache"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("the command `devhost` is not built: run `cargo xtask test`")?;
    let mut lines = BufReader::new(host.stdout.take().context("the output is piped")?).lines();
    let address = loop {
        let line = lines.next_line().await?.context("devhost ended")?;
        if let Some(address) = line.strip_prefix("Serving ") {
            break address.trim().to_owned();
        }
    };

    let client = Client::new();
    let account = json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse" });
    let requests = [
        client.get(format!("{address}/api/health")),
        client.post(format!("{address}/api/auth/sign-up")).json(&account),
        client
            .post(format!("{address}/api/auth/sign-in"))
            .json(&json!({ "email": "a@b.c", "password": "correct horse" })),
    ];
    for request in requests {
        let answer = request.send().await?;
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["retry-after"].to_str()?),
            (503, "1"),
            "{}",
            answer.url()
        );
        let text = answer.text().await?;
        assert!(!text.contains(&gone.to_string()) && !text.contains("refused"), "{text}");
    }
    Ok(())
}
