//! Starts that are refused say in one line what to do.

use anyhow::{Context, Result};
use testkit::{Todo, needs_a_file, needs_sidelet, todo_binary, workspace_root};

/// What a start with these options says when it is refused.
async fn refusal(arguments: &[&str]) -> Result<String> {
    let mut command = tokio::process::Command::new(todo_binary()?);
    let output = command.arg("up").args(arguments).current_dir(workspace_root()).output().await?;
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(text.trim().lines().count(), 1, "{text}");
    Ok(text)
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() -> Result<()> {
    if needs_sidelet("this is how `todo up` starts with a sidecar of its own") {
        return Ok(());
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    let folder = tempfile::tempdir()?;
    let data = folder.path().to_str().context("a path")?;
    let text = refusal(&["--port", &port, "--dapr-port", "0", "--data", data]).await?;
    assert!(text.contains(&format!("port {port} is taken")) && text.contains("--port"), "{text}");
    let text = refusal(&["--port", "0", "--dapr-port", &port, "--data", data]).await?;
    assert!(text.contains(&format!("port {port} is taken")) && text.contains("--dapr-port"), "{text}");
    Ok(())
}

#[tokio::test]
async fn data_that_is_in_use_is_refused_and_reset_empties_it_afterwards() -> Result<()> {
    if needs_sidelet("this is how `todo up` starts with a sidecar of its own") {
        return Ok(());
    }
    let mut todo = Todo::start().await?;
    let ada = todo.sign_up("ada").await?;
    ada.create("t").await?;
    let data = todo.data();
    let data = data.to_str().context("a path")?;
    let text = refusal(&["--port", "0", "--dapr-port", "0", "--data", data, "--reset"]).await?;
    assert!(text.contains("in use") || text.contains("another process"), "{text}");
    assert_eq!(ada.get("/api/tasks").await?.header("x-total-count"), "1");
    todo.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_manifest_and_a_component_file_that_cannot_be_used_are_named() -> Result<()> {
    if needs_sidelet("this is how `todo up` starts with a sidecar of its own") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let data = data.to_str().context("a path")?;
    let manifest = folder.path().join("spin.toml");
    std::fs::write(&manifest, "spin_manifest_version = 1\nname = \"x\"\n")?;
    let text =
        refusal(&["--port", "0", "--dapr-port", "0", "--data", data, "--from", manifest.to_str().context("a path")?])
            .await?;
    assert!(text.contains("spin_manifest_version"), "{text}");

    let resources = folder.path().join("resources");
    std::fs::create_dir(&resources)?;
    let component = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: s\nspec:\n  type: state.redis\n  version: v1\n";
    std::fs::write(resources.join("redis.yaml"), component)?;
    let text = refusal(&[
        "--port",
        "0",
        "--dapr-port",
        "0",
        "--data",
        data,
        "--resources",
        resources.to_str().context("a path")?,
    ])
    .await?;
    assert!(text.contains("redis.yaml") && text.contains("state.redis"), "{text}");
    Ok(())
}

#[tokio::test]
async fn data_of_a_newer_release_is_refused_and_left_as_it_is() -> Result<()> {
    if needs_sidelet("this is how `todo up` starts with a sidecar of its own") || needs_a_file("the file is looked at")
    {
        return Ok(());
    }
    let mut todo = Todo::start().await?;
    todo.stop().await?;
    let database = todo.data().join("todo.db");
    let mut bytes = std::fs::read(&database)?;
    // SQLite keeps the application's schema version, `user_version`, in the four bytes from 60 on.
    bytes[60..64].copy_from_slice(&9_999_u32.to_be_bytes());
    std::fs::write(&database, &bytes)?;
    let data = todo.data();
    let text = refusal(&["--port", "0", "--dapr-port", "0", "--data", data.to_str().context("a path")?]).await?;
    assert!(text.contains("version 9999") && text.contains("todo.db"), "{text}");
    assert_eq!(std::fs::read(&database)?, bytes);
    Ok(())
}
