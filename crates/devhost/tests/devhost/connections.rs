//! Many connections: far more than requests.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::command::Process;
use super::support::{Application, DEADLINE, shared_cache};

/// Asks once over a connection and keeps it open.
async fn ask(address: SocketAddr, path: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    ask_over(&mut stream, path).await?;
    Ok(stream)
}

async fn ask_over(stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).await?;
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await?;
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..read]));
    Ok(())
}

fn is_open(stream: &TcpStream) -> bool {
    let mut byte = [0];
    matches!(stream.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// The host in a process of its own, started by a shell that sets limits first.
fn host(application: &Application, limits: &str) -> (Process, SocketAddr) {
    let command = format!("{limits} exec \"$0\" \"$@\"");
    let mut process = Command::new("sh")
        .args(["-c", &command, env!("CARGO_BIN_EXE_devhost"), "--from"])
        .arg(application.folder.path())
        .arg("--cache-dir")
        .arg(shared_cache())
        .args(["--listen", "127.0.0.1:0", "--max-instances", "16"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("Serving http://").unwrap().parse().unwrap();
    (Process(process), address)
}

fn limit_of(process: &Process) -> (String, String) {
    let text = std::fs::read_to_string(format!("/proc/{}/limits", process.0.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut words = line.split_whitespace().skip(3);
    (words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
}

#[tokio::test]
async fn ten_thousand_idle_connections_leave_room_for_others() {
    const CONNECTIONS: usize = 10_000;
    // As many on this side.
    devhost::raise_open_files();
    let application = Application::with_guest("");
    let (process, address) = host(&application, "");
    let opening =
        futures::stream::iter(0..CONNECTIONS).map(|_| ask(address, "/.well-known/spin/health")).buffer_unordered(64);
    let connections: Vec<TcpStream> =
        opening.try_collect().await.expect("10,000 connections fit the limit on open files (`ulimit -Hn`)");
    let client = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
    for _ in 0..100 {
        let answer = client.get(format!("http://{address}/hello")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let open = connections.iter().filter(|stream| is_open(stream)).count();
    assert_eq!(open, CONNECTIONS, "idle connections were closed though there was room");
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let kilobytes = resident.unwrap();
    assert!(kilobytes < 400 << 10, "{kilobytes} kB for {CONNECTIONS} idle connections");
    eprintln!("{kilobytes} kB with {CONNECTIONS} idle connections");
}

#[tokio::test]
async fn beyond_the_bound_idle_connections_make_room() {
    let served = Application::with_guest("").configure(|config| config.limits.max_connections = 8).start().await;
    let address = served.running.local_addr();
    // Some that never ask, some that asked once, one that is in the middle of an answer.
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        .await
        .unwrap();
    let mut answer = vec![0; 4096];
    while !String::from_utf8_lossy(&answer).contains("first") {
        let read = busy.read(&mut answer[..]).await.unwrap();
        assert!(read > 0, "the connection ended");
    }
    let mut silent = Vec::new();
    let mut asked = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
        asked.push(tokio::time::timeout(DEADLINE, ask(address, "/hello")).await.unwrap().unwrap());
    }
    // The newest is served, the one that is busy goes on to its end.
    let newest = asked.last_mut().unwrap();
    tokio::time::timeout(DEADLINE, ask_over(newest, "/hello")).await.unwrap().unwrap();
    busy.write_all(b"6\r\nsecond\r\n0\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, busy.read_to_end(&mut rest)).await.unwrap().unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("second") && rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn the_limit_on_open_files_is_raised_or_told() {
    let application = Application::with_guest("");
    let (process, address) = host(&application, "ulimit -Sn 64;");
    ask(address, "/hello").await.unwrap();
    let (soft, hard) = limit_of(&process);
    assert_eq!(soft, hard);

    let (mut process, address) = host(&application, "ulimit -n 64;");
    let connections: Vec<TcpStream> =
        futures::stream::iter(0..200).then(|_| ask(address, "/.well-known/spin/health")).try_collect().await.unwrap();
    assert!(connections.iter().filter(|stream| is_open(stream)).count() <= 64);
    tokio::time::timeout(Duration::from_secs(20), ask(address, "/hello")).await.unwrap().unwrap();
    process.0.kill().unwrap();
    let mut log = String::new();
    std::io::Read::read_to_string(&mut process.0.stderr.take().unwrap(), &mut log).unwrap();
    assert!(log.contains("ulimit -n"), "{log}");
}
