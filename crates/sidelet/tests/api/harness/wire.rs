//! Bytes on a connection, for requests that no good client sends.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::DEADLINE;

/// An open connection to a sidecar.
pub(crate) struct Wire(TcpStream);

impl From<TcpStream> for Wire {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl Wire {
    /// Connects to `http://host:port`.
    pub(crate) async fn open(address: &str) -> Self {
        Self(TcpStream::connect(address.trim_start_matches("http://")).await.unwrap())
    }

    /// Sends bytes. The other side may have closed already: then what it said is still to be read.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Reads until the other side closes.
    pub(crate) async fn read_all(mut self) -> String {
        let mut text = Vec::new();
        timeout(DEADLINE, self.0.read_to_end(&mut text)).await.expect("the connection is closed in time").ok();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Reads until `end` has come.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut text = Vec::new();
        while !String::from_utf8_lossy(&text).contains(end) {
            let mut part = [0; 4096];
            let count = timeout(DEADLINE, self.0.read(&mut part)).await.expect("an answer comes in time").unwrap();
            assert!(count > 0, "the connection was closed after {:?}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&part[..count]);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Sends one request with this line and these headers, and reads the answer. The connection is closed after it.
pub(crate) async fn exchange(address: &str, head: &str, body: &str) -> String {
    let mut wire = Wire::open(address).await;
    wire.send(format!("{head}\r\nhost: sidecar\r\nconnection: close\r\n\r\n{body}")).await;
    wire.read_all().await
}
