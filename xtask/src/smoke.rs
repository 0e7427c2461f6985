//! The smoke test of a deployment: one person's path through every part of it, from outside.
//!
//! An account is made and a task added; what happened is read back, which shows that the event went through the broker,
//! woke its handler and was written down; then the account is removed with all that is in it, whatever failed before.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// How long all of it may take: new nodes pull images, handlers wake from nothing.
pub(crate) const WITHIN: Duration = Duration::from_secs(120);
/// What of it is kept for the removal of the account.
const LAST: Duration = Duration::from_secs(10);
/// How long one request may take.
const REQUEST_SECONDS: u64 = 20;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Tests what is at this address, such as `https://todo.example.com`, within this time.
pub(crate) fn run(address: &str, within: Duration) -> Result<()> {
    let start = Instant::now();
    let address = address.trim_end_matches('/');
    ensure!(
        address.starts_with("http://") || address.starts_with("https://"),
        "`{address}` is no address: give it as https://todo.example.com"
    );
    let mut visitor = Visitor { address: address.to_owned(), token: None, end: start + within.saturating_sub(LAST) };
    timed("the service is healthy", || {
        visitor.until("it is healthy", |visitor| {
            let answer = visitor.ask("GET", "/health", None)?;
            Ok((answer.status == 200).then_some(()))
        })
    })?;

    let name = random()?;
    let account = json!({"name": "Smoke test", "email": format!("smoke-{name}@example.com"), "password": format!("Smoke-{}", random()?)});
    timed("an account is made", || {
        let session = visitor.ask("POST", "/api/auth/sign-up", Some(&account))?.expect(201)?;
        visitor.token = Some(session["token"].as_str().context("the answer has no `token`")?.to_owned());
        Ok(())
    })?;
    let used = visitor.use_it();
    visitor.end = start + within;
    let removed =
        timed("the account is removed", || visitor.ask("DELETE", "/api/me", None)?.expect(204).map(|_nothing| ()));
    used.and(removed)?;
    println!("{address} works");
    Ok(())
}

/// Does a step and says how long it took.
fn timed<T>(claim: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = step().with_context(|| format!("not so: {claim}"))?;
    println!("{claim} ({} ms)", start.elapsed().as_millis());
    Ok(result)
}

/// A name and a password that nobody guesses.
fn random() -> Result<String> {
    let bytes = std::fs::File::open("/dev/urandom").and_then(|mut file| {
        let mut bytes = [0; 16];
        std::io::Read::read_exact(&mut file, &mut bytes).map(|()| bytes)
    });
    let bytes = bytes.context("could not read random bytes from /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Someone at the other end of the network.
struct Visitor {
    address: String,
    token: Option<String>,
    /// When the last answer has to be there.
    end: Instant,
}

impl Visitor {
    /// Adds a task, reads it, and waits until what happened is written down.
    fn use_it(&self) -> Result<()> {
        let title = "Does it work?";
        let task = timed("a task is added", || {
            self.ask("POST", "/api/tasks", Some(&json!({"title": title, "dueDate": "2030-01-01"})))?.expect(201)
        })?;
        let path = format!("/api/tasks/{}", task["id"].as_str().context("the task has no `id`")?);
        timed("the task is read", || {
            let found = self.ask("GET", &path, None)?.expect(200)?;
            ensure!(found["title"] == title, "it has another title: {found}");
            Ok(())
        })?;
        timed("its event came through", || {
            self.until("the task's activity has its event", |visitor| {
                let activity = visitor.ask("GET", &format!("{path}/activity"), None)?.expect(200)?;
                Ok((activity[0]["eventType"] == "created").then_some(()))
            })
        })
    }

    /// Looks until something is there. An answer that fails may be one of a part that still starts.
    fn until(&self, what: &str, look: impl Fn(&Self) -> Result<Option<()>>) -> Result<()> {
        let start = Instant::now();
        loop {
            let seen = look(self);
            let is_last = Instant::now() + PAUSE + Duration::from_secs(1) > self.end;
            match seen {
                Ok(Some(())) => return Ok(()),
                Err(error) if is_last => return Err(error),
                Ok(None) if is_last => {
                    bail!("{} seconds went by, and it is not so that {what}", start.elapsed().as_secs())
                }
                _ => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Makes a request by curl, which reads it from its input: no token is seen among the processes.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let seconds = self.end.saturating_duration_since(Instant::now()).as_secs().min(REQUEST_SECONDS);
        ensure!(seconds > 0, "no time is left for {method} {path}");
        let mut options = format!(
            "url = \"{}{path}\"\nrequest = \"{method}\"\nmax-time = {seconds}\nsilent\nshow-error\nwrite-out = \"\\n%{{http_code}}\"\n",
            self.address
        );
        if let Some(token) = &self.token {
            options += &format!("header = \"authorization: Bearer {token}\"\n");
        }
        if let Some(body) = body {
            let text = body.to_string().replace('\\', "\\\\").replace('"', "\\\"");
            options += &format!("header = \"content-type: application/json\"\ndata = \"{text}\"\n");
        }
        let mut curl = Command::new("curl")
            .args(["--disable", "--config", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("could not run `curl`: install it")?;
        curl.stdin
            .take()
            .context("the input is piped")?
            .write_all(options.as_bytes())
            .context("curl reads no input")?;
        let output = curl.wait_with_output().context("could not read what curl says")?;
        if !output.status.success() {
            bail!("{method} {path}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').context("curl says no status")?;
        let status = status.parse().with_context(|| format!("curl says the status `{status}`"))?;
        Ok(Answer { request: format!("{method} {path}"), status, body: body.to_owned() })
    }
}

/// What came back.
struct Answer {
    request: String,
    status: u16,
    body: String,
}

impl Answer {
    /// The JSON of an answer with this status; `Null` where it is empty. The error tells what came instead, but for
    /// tokens, which only come with the status that is expected.
    fn expect(self, status: u16) -> Result<Value> {
        ensure!(self.status == status, "{} answered {}, not {status}: {}", self.request, self.status, self.body);
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.body).with_context(|| format!("{} answered no JSON", self.request))
    }
}

#[cfg(test)]
mod tests;
