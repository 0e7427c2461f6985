//! The way into apps, for deliveries and for invocations.

use std::time::Duration;

use hyper::body::{Body, Buf};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{net::TcpStream, time::timeout};

use crate::config::AppAddress;

/// How long an app's port may take to accept.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);

/// A client that keeps its connections, and soon sees that an app is not there.
pub(crate) fn client<B>() -> Client<HttpConnector, B>
where
    B: Body<Data: Buf + Send> + Send,
{
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT));
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(connector)
}

/// Whether an app's port accepts: it is there, whatever it would answer.
pub(crate) async fn accepts(app: &AppAddress) -> bool {
    let authority = app.authority();
    let connect = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80)));
    matches!(timeout(CONNECT, connect).await, Ok(Ok(_)))
}
