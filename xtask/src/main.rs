//! The commands that people and workflows run: `cargo xtask up`, `test`, `build`, `load`, `bench`, `check`.
//!
//! Each installs what it needs through the ordinary package managers, or stops with one line that says what to install.

mod application;
mod arrows;
mod build;
mod chart;
mod check;
mod command;
mod data;
mod deploy;
mod doctor;
mod features;
mod go;
mod image;
mod infra;
mod minikube;
mod node;
mod publish;
mod python;
mod schemathesis;
mod smoke;
mod subscriptions;
mod tools;
mod workflows;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The commands that people and workflows run")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds what changed and runs the application with everything it needs.
    Up {
        /// Options of `todo up`, such as --port, --data, --reset, --spin; `-- --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Runs every check and test.
    Test {
        /// Only the tests that need no built components, for the inner loop.
        #[arg(long)]
        quick: bool,
    },
    /// Builds the components and the command `todo`.
    Build,
    /// Installs PostgreSQL and Kafka for tests where they are missing; a part of `test`.
    Backends,
    /// Loads tasks from a file into a running application.
    Load {
        /// The file and options of `todo load`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        options: Vec<String>,
    },
    /// Asks sidelet everything of the conformance suite, and daprd too where it is given, side by side.
    Conformance {
        /// Options of the suite, such as --daprd PATH, --only state/; `-- --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Measures the built application and prints medians of several runs.
    Bench {
        /// Options of the benchmark; `-- --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Builds the image of sidelet, as an OCI image layout in target/image/sidelet.
    Image {
        /// For which nodes; both unless told otherwise.
        #[arg(long, value_enum, default_values_t = [image::Architecture::Arm64, image::Architecture::Amd64])]
        architecture: Vec<image::Architecture>,
    },
    /// Renders the chart in every way and holds it against the schemas of Kubernetes; a part of `test`.
    Chart {
        /// A folder with the schemas of all kinds of a cluster, from which charts/schemas is written anew.
        #[arg(long)]
        schemas: Option<std::path::PathBuf>,
    },
    /// Shows on the cluster of KUBECONFIG what the chart promises; docs/cluster-test.md says what it needs.
    ClusterTest {
        /// Options of the test, such as --address, --image-load; `-- --help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Looks at the cluster of KUBECONFIG: whether the chart would run there, and what to do where it would not.
    Doctor(doctor::Options),
    /// Makes a local cluster from nothing, with all that the chart needs, and installs it; may be run again.
    Minikube(minikube::Options),
    /// Builds and pushes the sidecar's image, the application and the chart, and writes down their digests.
    Publish(publish::Options),
    /// Brings the cluster of KUBECONFIG to what was published, tries it from outside, and goes back where that fails.
    Deploy(deploy::Options),
    /// Tries a deployment from outside: makes an account, adds a task, waits for its event, removes the account.
    Smoke {
        /// Where it is, such as https://todo.example.com.
        address: String,
    },
    /// Asks OpenTofu, which has to be installed, about infra/oke, with the provider mocked.
    Infra,
    /// Formatting, lints, licences, workflows, and the arrows between the crates.
    Check,
    /// Builds what changed and asks the running API everything that its OpenAPI document allows; a part of `test`.
    Schemathesis,
    /// Writes the sample files under tests/data anew.
    Data,
    /// Writes the folder contracts/ anew from the code's own types.
    Contracts,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    std::env::set_current_dir(build::root())?;
    match task {
        Task::Up { options } => {
            build::components()?;
            build::todo()?;
            command::become_process(build::todo_binary(), ["up".to_owned()].into_iter().chain(options))
        }
        Task::Load { options } => {
            build::todo()?;
            command::become_process(build::todo_binary(), ["load".to_owned()].into_iter().chain(options))
        }
        Task::Build => {
            build::components()?;
            build::todo()?;
            build::print_sizes()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { quick: true } => {
            command::cargo(&[
                "test",
                "--release",
                "--package",
                "todo-domain",
                "--package",
                "dapr",
                "--package",
                "todo-app",
            ])?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Test { quick: false } => {
            check::all()?;
            chart::check()?;
            build::test_components()?;
            build::check_sizes()?;
            tools::c_compiler()?;
            tools::faketime()?;
            backends()?;
            // Builds the commands too, such as `todo` and `sidelet`, for their own tests; the other runners start the same ones.
            command::cargo(&["test", "--release", "--no-fail-fast"])?;
            scenarios_on_servers()?;
            node::test("tests/dapr-sdk", &[])?;
            node::test_beside(&["postgres", "kafka"], "tests/dapr-sdk")?;
            node::test("tests/readers", &[("PYTHON", &python::CHECKS.program("python")?)])?;
            schemathesis::run()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Backends => {
            backends()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Conformance { options } => {
            backends()?;
            build::programs(&["sidelet", "conformance"])?;
            let sidelet = build::binary("sidelet").display().to_string();
            let own =
                ["--sidelet", &sidelet, "--differences", "docs/daprd-differences.md", "--page", "docs/conformance.md"];
            let options = own.into_iter().map(str::to_owned).chain(options);
            command::become_process(build::binary("conformance"), options)
        }
        Task::Bench { options } => {
            build::components()?;
            build::programs(&["todo", "bench", "sidelet"])?;
            if options.iter().any(|option| option == "sidecar") {
                backends()?;
            }
            command::become_process(build::binary("bench"), options)
        }
        Task::Image { architecture } => {
            image::build(&architecture)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::ClusterTest { options } => {
            build::components()?;
            image::build(&[image::Architecture::of_this_machine()?])?;
            build::programs(&["devhost", "cluster-test", "spin-stand-in"])?;
            backends()?;
            command::become_process(build::binary("cluster-test"), options)
        }
        Task::Chart { schemas } => {
            if let Some(folder) = schemas {
                chart::renew_schemas(&folder)?;
            }
            chart::check()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Doctor(options) => Ok(if doctor::run(&options)? { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Task::Minikube(options) => {
            minikube::run_steps(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Publish(options) => {
            publish::run_all(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Deploy(options) => {
            deploy::run_all(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Smoke { address } => {
            smoke::run(&address, smoke::WITHIN)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Infra => {
            infra::test()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Check => {
            check::all()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Schemathesis => {
            build::components()?;
            build::todo()?;
            schemathesis::run()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Data => {
            data::write()?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Contracts => {
            command::cargo(&["run", "--quiet", "--release", "--bin", "contracts"])?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Scenarios once more, with PostgreSQL and Kafka in place of a file: of writes, of writers who meet, and of what follows
/// from events. Each starts servers of its own, so the others are left to whoever asks for them.
fn scenarios_on_servers() -> Result<()> {
    let test = ["test", "--release", "--test", "scenarios", "--"];
    let modules = ["accounts::", "concurrent_writers::", "recurring::", "tokens::", "trash::"];
    command::cargo_with(&[&test[..], &modules].concat(), &[("TODO_SERVERS", "1".into())])
}

/// The servers that tests start.
fn backends() -> Result<()> {
    tools::postgres()?;
    tools::kafka()
}
