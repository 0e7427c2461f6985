//! Reminders by mail: for who asked for them, where the operator named a binding that sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use testkit::{Todo, TodoOptions, eventually};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::reminder;

#[derive(Default)]
struct Post {
    /// To whom, and the whole text.
    taken: Vec<(String, String)>,
    /// What the next mails are answered in place of a welcome.
    refusals: VecDeque<&'static str>,
}

/// A mail server, which ends with this value.
struct MailServer {
    port: u16,
    post: Arc<Mutex<Post>>,
    task: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (port, post) = (listener.local_addr()?.port(), Arc::<Mutex<Post>>::default());
        let kept = post.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { converse(stream, &kept).await });
            }
        });
        Ok(Self { port, post, task })
    }

    fn refuse_next(&self, answer: &'static str) {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).refusals.push_back(answer);
    }

    fn taken(&self) -> Vec<(String, String)> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).taken.clone()
    }

    fn refusals(&self) -> usize {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).refusals.len()
    }

    async fn wait_for(&self, count: usize) -> Result<Vec<(String, String)>> {
        eventually(&format!("{count} mails"), async || Some(self.taken()).filter(|mails| mails.len() >= count)).await
    }
}

/// Speaks SMTP until the other side ends.
async fn converse(stream: TcpStream, post: &Mutex<Post>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example ESMTP\r\n").await?;
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', '\r']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-mail.example\r\n250 8BITMIME\r\n",
            "RCPT" => {
                line.split(['<', '>']).nth(1).context("an address")?.clone_into(&mut to);
                "250 ok\r\n"
            }
            "MAIL" => post.lock().unwrap_or_else(PoisonError::into_inner).refusals.pop_front().unwrap_or("250 ok\r\n"),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    ensure!(stream.read_line(&mut text).await? > 0, "the mail broke off");
                }
                post.lock().unwrap_or_else(PoisonError::into_inner).taken.push((to.clone(), text));
                "250 kept\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The application with a binding that sends by `server`, and the folder that says so.
async fn start(server: &MailServer) -> Result<(Todo, TempDir)> {
    let resources = tempfile::tempdir()?;
    let binding = format!(
        "apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: mail
spec:
  type: bindings.smtp
  version: v1
  metadata:
    - name: host
      value: 127.0.0.1
    - name: port
      value: \"{}\"
    - name: emailFrom
      value: todo@example.com
",
        server.port
    );
    std::fs::write(resources.path().join("mail.yaml"), binding)?;
    let options = TodoOptions {
        resources: vec![resources.path().to_owned()],
        variables: vec![("email_binding", "mail".to_owned())],
        ..TodoOptions::default()
    };
    Ok((Todo::start_with(options).await?, resources))
}

#[tokio::test]
async fn who_asks_for_mail_gets_each_reminder_once_also_when_the_server_refused_at_first() -> Result<()> {
    let server = MailServer::start().await?;
    let (todo, _resources) = start(&server).await?;
    let (ada, bob) = (todo.sign_up("ada").await?, todo.sign_up("bob").await?);
    ada.patch("/api/me", &json!({ "emailNotifications": true })).await?.expect(200)?;
    server.refuse_next("451 later\r\n");
    for (user, number) in [(&bob, 1), (&ada, 2), (&ada, 2), (&ada, 3)] {
        todo.deliver("/events/notifier/reminders", &reminder(user, number, "Pay <rent>")).await?.expect(200)?;
    }
    let mails = server.wait_for(2).await?;
    ensure!(server.refusals() == 0, "the server refused none");
    for (to, text) in &mails {
        ensure!(to == "ada@example.com", "a mail to {to}");
        ensure!(text.contains("From: todo@example.com") && text.contains("Subject: "), "{text}");
        ensure!(text.contains("Pay &lt;rent&gt;") && text.contains("text/html"), "{text}");
    }
    // Bob asked for none, and repeats send nothing: what comes next is the next mail.
    for (user, number) in [(&bob, 1), (&ada, 2), (&ada, 3), (&ada, 4)] {
        todo.deliver("/events/notifier/reminders", &reminder(user, number, "Pay <rent>")).await?.expect(200)?;
    }
    ensure!(server.wait_for(3).await?.len() == 3);
    Ok(())
}
