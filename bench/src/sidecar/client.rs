//! Connections that send one request after the other, as lean as a client can be: it shares the machine with what it measures.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::load::Figures;

/// An open connection to a sidecar.
pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
}

/// What a sidecar answered.
pub(super) struct Answered {
    pub(super) etag: String,
}

impl Connection {
    pub(super) async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.context("the sidecar does not listen")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Sends one request and reads its whole answer, which is to be a success.
    pub(super) async fn call(&mut self, method: &str, path: &str, body: impl Into<Bytes>) -> Result<Answered> {
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = request.header("content-type", "application/json").body(Full::new(body.into()))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let etag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{method} {path}: {status} with {}", String::from_utf8_lossy(&body));
        Ok(Answered { etag })
    }
}

/// Lets so many connections repeat `work` for a while. It is given the connection's number and that of the repeat.
pub(super) async fn run<F>(port: u16, connections: usize, window: Duration, work: F) -> Result<Figures>
where
    F: AsyncFn(&mut Connection, usize, usize) -> Result<()>,
{
    let mut open = try_join_all((0..connections).map(|_| Connection::open(port))).await?;
    let begin = Instant::now();
    let repeats = open.iter_mut().enumerate().map(|(number, connection)| {
        let work = &work;
        async move {
            let mut times = Vec::new();
            while begin.elapsed() < window {
                let sent = Instant::now();
                work(connection, number, times.len()).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        }
    });
    let times: Vec<Duration> = try_join_all(repeats).await?.concat();
    Ok(Figures::new(times, begin.elapsed()))
}
