//! The subscriptions of the laptop and of the cluster are the same, but for the app that each is for.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::build::root;

/// On the laptop one app has every handler.
const LAPTOP_APP: &str = "todo";

/// A subscription: its text without scopes, its scopes, and the handler that its route names.
#[derive(Debug, PartialEq, Eq)]
struct Subscription {
    text: String,
    scopes: String,
    handler: String,
}

/// Refuses a subscription that one of the folders lacks or holds otherwise, and one that is for the wrong app.
pub(crate) fn check() -> Result<()> {
    let (laptop, cluster) = (read("dapr/local")?, read("dapr/cluster")?);
    for name in laptop.keys().chain(cluster.keys()) {
        let (Some(here), Some(there)) = (laptop.get(name), cluster.get(name)) else {
            bail!("the subscription `{name}` is in one of dapr/local and dapr/cluster: it belongs in both");
        };
        if here.text != there.text {
            bail!("the subscription `{name}` differs between dapr/local and dapr/cluster in more than its scopes");
        }
        if here.scopes != format!("[{LAPTOP_APP}]") || there.scopes != format!("[{}]", there.handler) {
            bail!(
                "`{name}` is to have the scopes [{LAPTOP_APP}] in dapr/local and [{}] in dapr/cluster, after its route",
                there.handler
            );
        }
    }
    Ok(())
}

/// The subscriptions of a folder by their files' names.
fn read(folder: &str) -> Result<BTreeMap<String, Subscription>> {
    let folder = root().join(folder);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("could not read `{}`", folder.display()))? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("could not read `{}`", path.display()))?;
        if text.lines().any(|line| line == "kind: Subscription") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.insert(name, Subscription::of(&text));
        }
    }
    Ok(found)
}

impl Subscription {
    fn of(text: &str) -> Self {
        let of = |start: &str| {
            let line = text.lines().find_map(|line| line.trim_start().strip_prefix(start));
            line.unwrap_or_default().trim().to_owned()
        };
        let route = of("default:");
        Self {
            text: text
                .lines()
                .filter(|line| !line.starts_with("scopes:"))
                .fold(String::new(), |text, line| text + line + "\n"),
            scopes: of("scopes:"),
            handler: route.split('/').nth(2).unwrap_or_default().to_owned(),
        }
    }
}
