//! Who may read which Secret.

use anyhow::{Result, bail, ensure};

use crate::{Setting, sidecar::Sidecar};

/// What only people and the kubelet read.
const OTHERS: [&str; 3] = ["todo-api-token", "todo-app-token", "todo-keys"];

/// Asks the API server as each account, and the sidecar as an app.
pub(super) async fn own_alone(setting: &Setting) -> Result<String> {
    // sidelet has read this one with its account: without the database's address no write would have come through.
    read_as(setting, "todo-sidelet", &["todo-postgres"]).await?;
    for other in OTHERS {
        refused(setting, "todo-sidelet", &[other]).await?;
    }
    for account in ["todo-sidelet", "todo-components", "default"] {
        refused(setting, account, &[]).await?;
    }
    refused(setting, "todo-components", &["todo-postgres"]).await?;
    let status = Sidecar::of(&setting.cluster).await?.secret("todo-postgres").await?;
    ensure!(status == 403, "an app that asks the sidecar for the Secret is answered {status}, expected 403");
    Ok(format!("1 Secret read, {} refused, 3 accounts may list none, and apps get none", OTHERS.len() + 1))
}

/// Reads a Secret, or without a name all of them, as an account of the release.
async fn read_as(setting: &Setting, account: &str, name: &[&str]) -> Result<String> {
    let account = format!("--as=system:serviceaccount:{}:{account}", setting.cluster.namespace);
    let mut arguments = vec![account.as_str(), "get", "secrets", "--output=name"];
    arguments.extend(name);
    setting.cluster.kubectl(&arguments).await
}

async fn refused(setting: &Setting, account: &str, name: &[&str]) -> Result<()> {
    let what = name.first().unwrap_or(&"every Secret");
    match read_as(setting, account, name).await {
        Ok(_) => bail!("the account `{account}` may read {what}"),
        Err(error) if format!("{error:#}").contains("(Forbidden)") => Ok(()),
        Err(error) => Err(error.context(format!("whether the account `{account}` may read {what}"))),
    }
}
