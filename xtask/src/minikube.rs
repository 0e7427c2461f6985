//! A local cluster from nothing: Minikube with containerd, the Spin shim, SpinKube, KEDA, Strimzi, and the chart with what
//! is in this folder.
//!
//! It is a list of steps. Each has one version, changes nothing when it was done before, and is said before it is done.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command::{output, run};
use crate::{build, image};

const KUBERNETES: &str = "v1.34.1";
const CERT_MANAGER: &str = "v1.21.2";
const RUNTIME_CLASS_MANAGER: &str = "0.2.0";
const SHIM: &str = "v0.25.1";
const SPIN_OPERATOR: &str = "0.6.1";
const KEDA: &str = "2.21.0";
const STRIMZI: &str = "1.2.0";

/// Where the cluster's own registry is, seen from a node, and from here while its port is forwarded.
const REGISTRY: &str = "localhost:5000";
/// How long the registry's port may take to open.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the cluster is made.
#[derive(Args)]
pub(crate) struct Options {
    /// The name of Minikube's profile and of the context.
    #[arg(long, default_value = "todo")]
    profile: String,
    /// Only prints what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// One step.
struct Step {
    /// What it is for.
    purpose: &'static str,
    action: Action,
}

enum Action {
    /// A command, with its arguments.
    Command(Vec<String>),
    /// A command that talks to the cluster's registry, whose port is forwarded meanwhile.
    Push(Vec<String>),
    /// Builds the components and the image of the sidecar for this machine's nodes.
    Build,
}

/// Makes the cluster, or brings it up to date.
pub(crate) fn run_steps(options: &Options) -> Result<()> {
    let build = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    let steps = plan(&options.profile, build);
    let count = steps.len();
    for (index, step) in steps.iter().enumerate() {
        println!("[{}/{count}] {}", index + 1, step.purpose);
        println!("      {}", step.action);
        if !options.dry_run {
            step.action.execute(&options.profile).with_context(|| {
                format!("not done: {}. Once the cause is gone, the same command goes on from here", step.purpose)
            })?;
        }
    }
    println!(
        "\nOpen it with\n  kubectl --context {0} --namespace todo port-forward service/todo 8080:80\nand try it with\n  cargo xtask smoke http://127.0.0.1:8080\nRemove it with\n  minikube delete --profile {0}",
        options.profile
    );
    Ok(())
}

/// The steps, in their order. `build` is another number each time, so that no node takes yesterday's for today's.
fn plan(profile: &str, build: u64) -> Vec<Step> {
    let shim = format!(
        "https://github.com/spinframework/containerd-shim-spin/releases/download/{SHIM}/runtime-class-manager-shim-v1alpha1-{SHIM}.yaml"
    );
    let definitions = format!(
        "https://github.com/spinframework/spin-operator/releases/download/v{SPIN_OPERATOR}/spin-operator.crds.yaml"
    );
    let command = |purpose, line: &str| Step { purpose, action: Action::Command(words(line)) };
    let kubectl = |purpose, line: &str| command(purpose, &format!("kubectl --context {profile} {line}"));
    let release = |purpose, name: &str, chart: &str, version: &str, more: &str| {
        command(
            purpose,
            &format!(
                "helm --kube-context {profile} upgrade --install {name} {chart} --version {version} --namespace {name} --create-namespace --wait --timeout 10m {more}"
            ),
        )
    };
    vec![
        command("Minikube is there", "minikube version"),
        command("kubectl is there", "kubectl version --client"),
        command("Helm is there", "helm version"),
        command("Spin is there", "spin --version"),
        command("skopeo is there", "skopeo --version"),
        Step { purpose: "The application is built", action: Action::Build },
        command(
            "A cluster runs, with containerd, a registry and measurements of its pods",
            &format!(
                "minikube start --profile {profile} --kubernetes-version {KUBERNETES} --container-runtime containerd --cpus 4 --memory 6g --addons registry --addons metrics-server"
            ),
        ),
        release(
            "Certificates for webhooks are made by cert-manager",
            "cert-manager",
            "oci://quay.io/jetstack/charts/cert-manager",
            CERT_MANAGER,
            "--set crds.enabled=true",
        ),
        release(
            "Nodes can be given a Spin shim",
            "runtime-class-manager",
            "oci://ghcr.io/spinframework/charts/runtime-class-manager",
            RUNTIME_CLASS_MANAGER,
            "",
        ),
        kubectl("The shim is asked for", &format!("apply --server-side --filename {shim}")),
        kubectl("Every node gets it", "label nodes --all --overwrite spin=true"),
        kubectl("The node has the shim", "wait --for jsonpath={.status.nodesReady}=1 --timeout 5m shim/spin-v2"),
        kubectl("Kubernetes knows SpinApps", &format!("apply --server-side --filename {definitions}")),
        release(
            "SpinApps become pods",
            "spin-operator",
            "oci://ghcr.io/spinframework/charts/spin-operator",
            SPIN_OPERATOR,
            "",
        ),
        release(
            "Handlers scale with their events, by KEDA",
            "keda",
            "keda --repo https://kedacore.github.io/charts",
            KEDA,
            "",
        ),
        release(
            "Kafka is run by Strimzi",
            "strimzi",
            "oci://quay.io/strimzi-helm/strimzi-kafka-operator",
            STRIMZI,
            "--set watchAnyNamespace=true",
        ),
        kubectl(
            "The application's namespace is described",
            "apply --server-side --filename xtask/minikube/namespace.yaml",
        ),
        kubectl("A broker is asked for", "apply --server-side --namespace todo --filename kafka/strimzi"),
        kubectl(
            "The broker is ready",
            "wait --namespace todo --for condition=Ready --timeout 10m kafkas.kafka.strimzi.io/todo",
        ),
        Step {
            purpose: "The registry has the sidecar",
            action: Action::Push(words(&format!(
                "skopeo copy --all --dest-tls-verify=false oci:target/image/sidelet docker://{REGISTRY}/todo/sidelet:{build}"
            ))),
        },
        Step {
            purpose: "The registry has the application",
            action: Action::Push(words(&format!("spin registry push --insecure {REGISTRY}/todo/app:{build}"))),
        },
        command(
            "The application is installed, or brought up to date",
            &format!(
                "helm --kube-context {profile} upgrade --install todo charts/todo --namespace todo --values charts/todo/values-minikube.yaml --set image.repository={REGISTRY}/todo/app --set-string image.tag={build} --set sidelet.image.repository={REGISTRY}/todo/sidelet --set-string sidelet.image.tag={build} --wait --timeout 10m"
            ),
        ),
    ]
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

impl std::fmt::Display for Action {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(words) => write!(to, "{}", words.join(" ")),
            Self::Push(words) => write!(to, "{} (while the registry's port is forwarded)", words.join(" ")),
            Self::Build => write!(to, "cargo xtask build, and cargo xtask image"),
        }
    }
}

impl Action {
    fn execute(&self, profile: &str) -> Result<()> {
        match self {
            Self::Command(words) => command(words),
            Self::Push(words) => {
                let _forwarded = Forwarded::registry(profile)?;
                command(words)
            }
            Self::Build => {
                build::components()?;
                image::build(&[image::Architecture::of_this_machine()?])
            }
        }
    }
}

fn command(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().context("a command has a program")?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(program, &arguments)
}

/// The registry's port, as long as this value is there.
struct Forwarded(Child);

impl Forwarded {
    fn registry(profile: &str) -> Result<Self> {
        let mut child = Command::new("kubectl")
            .args(["--context", profile, "--namespace", "kube-system", "port-forward", "service/registry", "5000:80"])
            .stdout(Stdio::null())
            .spawn()
            .context("could not run `kubectl`")?;
        let start = Instant::now();
        while output("curl", &["--silent", "--fail", "--max-time", "2", &format!("http://{REGISTRY}/v2/")]).is_none() {
            let ended = child.try_wait().context("could not look after `kubectl`")?;
            if ended.is_some() || start.elapsed() > PATIENCE {
                let _gone_already = child.kill();
                let _status = child.wait();
                bail!("the registry does not answer at {REGISTRY}: is another program at this port?");
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(Self(child))
    }
}

impl Drop for Forwarded {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

#[cfg(test)]
mod tests;
