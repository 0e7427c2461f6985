//! The waits that a guest may bound, against a server that stops where it is told to.

use std::net::SocketAddr;

use http_body_util::Empty;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::*;

/// Short enough for a test, and long enough for everything that is not meant to stall.
const SHORT: Duration = Duration::from_millis(300);

/// Answers each connection with `head` and then nothing more.
async fn stalls_after(head: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(head.as_bytes()).await;
                // Open until the client has gone.
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    address
}

async fn get(address: SocketAddr, options: RequestOptions) -> Result<Response<WasiBody>, Error> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(format!("http://{address}/")).body(body).unwrap();
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    send(client(true), request, options, place).await.map(|(response, _)| response)
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_read_timeout() {
    let address = stalls_after("").await;
    let options = RequestOptions { first_byte_timeout: Some(SHORT), ..Default::default() };
    let answered = get(address, options).await;
    assert!(matches!(answered, Err(Error::ConnectionReadTimeout)), "{answered:?}");
}

#[tokio::test]
async fn a_body_that_pauses_is_a_read_timeout() {
    let address = stalls_after("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst").await;
    let options = RequestOptions { between_bytes_timeout: Some(SHORT), ..Default::default() };
    let mut body = get(address, options).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first");
    let next = body.frame().await;
    assert!(matches!(next, Some(Err(Error::ConnectionReadTimeout))), "{next:?}");
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_a_connection_timeout() {
    // A full queue of connections that nobody accepts: Linux lets one more in than it is asked to.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let _first = TcpStream::connect(address).await.unwrap();
    let _second = TcpStream::connect(address).await.unwrap();
    let options =
        RequestOptions { connect_timeout: Some(SHORT), first_byte_timeout: Some(SHORT * 10), ..Default::default() };
    let answered = get(address, options).await;
    assert!(matches!(answered, Err(Error::ConnectionTimeout)), "{answered:?}");
}

#[tokio::test]
async fn a_server_that_breaks_off_has_terminated_the_connection() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).await;
    });
    let answered = get(address, RequestOptions::default()).await;
    assert!(matches!(answered, Err(Error::ConnectionTerminated)), "{answered:?}");
}
