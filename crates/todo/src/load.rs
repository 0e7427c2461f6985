//! Loads a file of tasks through the API, part by part, and reports what was skipped and why.

mod parts;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use self::parts::{Part, divide};

/// Lines of the report that are printed; the count of the rest follows.
const PRINTED_ERRORS: usize = 20;

/// The account of the line that `todo up` prints.
pub(crate) const EXAMPLE_EMAIL: &str = "ada@example.com";
/// Its password.
pub(crate) const EXAMPLE_PASSWORD: &str = "correct horse";

/// What to load, and where to.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A file that ends in .json, .csv or .ics.
    file: PathBuf,
    /// The service.
    #[arg(long, default_value = "http://127.0.0.1:3000", env = "TODO_URL")]
    url: String,
    /// An access token, in place of e-mail and password.
    #[arg(long, env = "TODO_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The account to load into, made when there is none. On this machine the one of the first curl line unless given.
    #[arg(long, env = "TODO_EMAIL", requires = "password")]
    email: Option<String>,
    /// The account's password.
    #[arg(long, env = "TODO_PASSWORD", hide_env_values = true, requires = "email")]
    password: Option<String>,
}

#[derive(Deserialize)]
struct Report {
    created: usize,
    skipped: usize,
    errors: Vec<LineError>,
}

#[derive(Deserialize)]
struct LineError {
    line: usize,
    message: String,
}

/// Loads the file. The exit status is 1 when something was skipped.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let text = std::fs::read_to_string(&options.file)
        .with_context(|| format!("could not read `{}`", options.file.display()))?;
    let media_type = media_type(&options.file)?;
    let parts =
        divide(media_type, &text).with_context(|| format!("`{}` is not a file of tasks", options.file.display()))?;
    let client = Client::new();
    let token = match options.token {
        Some(token) => token,
        None => {
            let (email, password) = match options.email.zip(options.password) {
                Some(account) => account,
                None if is_local(&options.url) => (EXAMPLE_EMAIL.to_owned(), EXAMPLE_PASSWORD.to_owned()),
                None => bail!("give the account with --email and --password, or an access token with --token"),
            };
            sign_in(&client, &options.url, &email, &password).await?
        }
    };

    let bar = ProgressBar::new(parts.iter().map(|part| part.records as u64).sum());
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} tasks, {elapsed}").context("the bar's template")?);
    let (mut created, mut skipped, mut errors) = (0, 0, Vec::new());
    for Part { body, records } in parts {
        let report = send(&client, &options.url, &token, media_type, body)
            .await
            .with_context(|| format!("{created} tasks were made, then the load stopped"))?;
        created += report.created;
        skipped += report.skipped;
        errors.extend(report.errors);
        bar.inc(records as u64);
    }
    bar.finish();

    println!("{created} tasks were made, {skipped} were skipped.");
    for LineError { line, message } in errors.iter().take(PRINTED_ERRORS) {
        println!("  line {line}: {message}");
    }
    if errors.len() > PRINTED_ERRORS {
        println!("  and {} more", errors.len() - PRINTED_ERRORS);
    }
    Ok(if skipped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn media_type(file: &Path) -> Result<&'static str> {
    match file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("json") => Ok(parts::JSON),
        Some("csv") => Ok(parts::CSV),
        Some("ics") => Ok(parts::CALENDAR),
        _ => bail!("`{}` does not end in .json, .csv or .ics", file.display()),
    }
}

/// Whether a service is on this machine, where an account with a known password does no harm.
fn is_local(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|local| host.strip_prefix(local).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
}

/// Signs in, and up when there is no such account yet.
async fn sign_in(client: &Client, url: &str, email: &str, password: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct SignedIn {
        token: String,
    }
    let unreachable = || format!("could not reach `{url}`: is the service up?");
    let credentials = json!({ "email": email, "password": password });
    let mut answer =
        client.post(format!("{url}/api/auth/sign-in")).json(&credentials).send().await.with_context(unreachable)?;
    if answer.status() == StatusCode::UNAUTHORIZED {
        let account = json!({ "email": email, "name": email, "password": password });
        let made =
            client.post(format!("{url}/api/auth/sign-up")).json(&account).send().await.with_context(unreachable)?;
        if made.status() == StatusCode::CONFLICT {
            bail!("the password of `{email}` is another: give it with --password");
        }
        answer = made;
    }
    Ok(accepted(answer).await?.json::<SignedIn>().await.context("the answer to the sign-in is not understood")?.token)
}

async fn send(client: &Client, url: &str, token: &str, media_type: &str, body: String) -> Result<Report> {
    let request =
        client.post(format!("{url}/api/import")).bearer_auth(token).header(header::CONTENT_TYPE, media_type).body(body);
    let answer = request.send().await.with_context(|| format!("could not reach `{url}`"))?;
    accepted(answer).await?.json().await.context("the answer to the import is not understood")
}

/// The answer, or the sentence of its problem details.
async fn accepted(answer: reqwest::Response) -> Result<reqwest::Response> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    match answer.json::<Problem>().await {
        Ok(problem) => bail!("the service answered {status}: {}", problem.detail),
        Err(_) => bail!("the service answered {status}"),
    }
}
