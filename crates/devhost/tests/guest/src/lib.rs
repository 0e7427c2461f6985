//! A component with one behaviour for each path, for devhost's tests.

#![allow(unsafe_code, reason = "what `http_component` generates exports a function by name")]

use anyhow::Context;
use futures::{SinkExt, StreamExt};
use spin_sdk::http::{
    Headers, IncomingRequest, IncomingResponse, Method, OutgoingRequest, OutgoingResponse, ResponseOutparam, Scheme,
    SendError,
};
use spin_sdk::http_component;

#[http_component]
async fn handle(request: IncomingRequest, response: ResponseOutparam) {
    if let Err(error) = behave(request, response).await {
        eprintln!("{error:#}");
    }
}

async fn behave(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let path = request.path_with_query().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let (behaviour, argument) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    match behaviour {
        "hello" => text(response, 200, "hello\n").await,
        "headers" => headers(request, response).await,
        "echo" => echo(request, response).await,
        "read" => read(request, response).await,
        "proxy" => proxy(request, response).await,
        "afterwards" => afterwards(request, response, argument).await,
        "flood" => {
            let mut body = start(response, 200)?;
            while body.send(vec![b'x'; 1 << 16]).await.is_ok() {}
            Ok(())
        }
        "status" => text(response, argument.parse()?, "").await,
        "variable" => variable(response, argument).await,
        "environment" => {
            let pairs: Vec<String> = std::env::vars().map(|(key, value)| format!("{key}={value}")).collect();
            text(response, 200, &pairs.join("\n")).await
        }
        "file" => file(response, &format!("/{argument}")).await,
        "write" => write(response, &format!("/{argument}")).await,
        "print" => {
            println!("printed {argument}");
            eprint!("without end");
            text(response, 200, "").await
        }
        "loop" => {
            let mut number = 0_u64;
            loop {
                number = std::hint::black_box(number.wrapping_add(1));
            }
        }
        "wait" => loop {
            std::thread::sleep(std::time::Duration::from_secs(3600));
        },
        "print-without-end" => loop {
            println!("{}", "x".repeat(1000));
        },
        "hoard" => loop {
            let headers = Headers::new();
            headers.append("x-hoarded", &vec![b'x'; 60_000])?;
            std::mem::forget(headers);
        },
        "call-many" => call_many(request, response, argument).await,
        "eat" => {
            let mut eaten = Vec::new();
            loop {
                eaten.push(vec![1_u8; 1 << 20]);
                std::hint::black_box(&eaten);
            }
        }
        "trap" => panic!("secret internals"),
        "trap-late" => trap_late(request, response).await,
        "silent" => {
            // The out parameter is dropped without being set.
            std::mem::forget(response);
            Ok(())
        }
        _ => text(response, 404, "no such behaviour\n").await,
    }
}

fn start(response: ResponseOutparam, status: u16) -> anyhow::Result<impl Body> {
    start_with(response, status, Headers::new())
}

fn start_with(response: ResponseOutparam, status: u16, headers: Headers) -> anyhow::Result<impl Body> {
    let outgoing = OutgoingResponse::new(headers);
    outgoing.set_status_code(status).map_err(|()| anyhow::anyhow!("bad status"))?;
    let body = outgoing.take_body();
    response.set(outgoing);
    Ok(Box::pin(body))
}

/// The body of a response under way.
trait Body: SinkExt<Vec<u8>, Error: std::error::Error + Send + Sync> + Unpin {}

impl<T: SinkExt<Vec<u8>, Error: std::error::Error + Send + Sync> + Unpin> Body for T {}

async fn text(response: ResponseOutparam, status: u16, text: &str) -> anyhow::Result<()> {
    let mut body = start(response, status)?;
    if !text.is_empty() {
        body.send(text.into()).await?;
    }
    Ok(())
}

async fn headers(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let mut lines = String::new();
    for (name, value) in request.headers().entries() {
        lines.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(&value)));
    }
    text(response, 200, &lines).await
}

async fn echo(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let mut incoming = request.into_body_stream();
    let mut body = start(response, 200)?;
    while let Some(chunk) = incoming.next().await {
        body.send(chunk.map_err(|error| anyhow::anyhow!("{error:?}"))?).await?;
    }
    Ok(())
}

/// Answers, and fails when the request's body says so.
async fn trap_late(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let mut incoming = request.into_body_stream();
    let mut body = start(response, 200)?;
    body.send(b"first\n".to_vec()).await?;
    incoming.next().await;
    panic!("secret internals");
}

/// Reads the whole body before it answers.
async fn read(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let mut incoming = request.into_body_stream();
    let mut length = 0;
    while let Some(chunk) = incoming.next().await {
        match chunk {
            Ok(chunk) => length += chunk.len(),
            Err(error) => return text(response, 413, &format!("{error}")).await,
        }
    }
    text(response, 200, &length.to_string()).await
}

/// Sends the request on to the URL in `x-url`, streaming both ways.
async fn proxy(request: IncomingRequest, response: ResponseOutparam) -> anyhow::Result<()> {
    let outgoing = outgoing(&request)?;
    outgoing.set_method(&request.method()).map_err(|()| anyhow::anyhow!("bad method"))?;
    let has_body = matches!(request.method(), Method::Post | Method::Put);
    let upload = has_body.then(|| outgoing.take_body());
    let mut incoming = request.into_body_stream();
    let copy = async move {
        if let Some(upload) = upload {
            let mut upload = Box::pin(upload);
            while let Some(Ok(chunk)) = incoming.next().await {
                if upload.send(chunk).await.is_err() {
                    break;
                }
            }
        }
    };
    let answer = async move {
        let answered: Result<IncomingResponse, _> = spin_sdk::http::send(outgoing).await;
        match answered {
            Ok(answered) => {
                let mut body = start(response, answered.status())?;
                let mut download = answered.take_body_stream();
                while let Some(chunk) = download.next().await {
                    body.send(chunk.map_err(|error| anyhow::anyhow!("{error:?}"))?).await?;
                }
                anyhow::Ok(())
            }
            Err(error) => text(response, 502, &format!("{error:?}")).await,
        }
    };
    let (answered, ()) = futures::join!(answer, copy);
    answered
}

/// Answers, ends the response, and only then calls the URL in `x-url`.
async fn afterwards(request: IncomingRequest, response: ResponseOutparam, length: &str) -> anyhow::Result<()> {
    let outgoing = outgoing(&request)?;
    let headers = Headers::new();
    if !length.is_empty() {
        headers.set("content-length", &[length.into()])?;
    }
    let mut body = start_with(response, 200, headers)?;
    body.send(b"answered\n".to_vec()).await?;
    drop(body);
    let _: IncomingResponse =
        spin_sdk::http::send(outgoing).await.map_err(|error: SendError| anyhow::anyhow!("{error:?}"))?;
    Ok(())
}

/// Calls the URL in `x-url` so many times at once, and answers with how many were refused when all have an answer.
async fn call_many(request: IncomingRequest, response: ResponseOutparam, times: &str) -> anyhow::Result<()> {
    let calls = (0..times.parse::<usize>()?).map(|_| async {
        let answered: Result<IncomingResponse, _> = spin_sdk::http::send(outgoing(&request)?).await;
        anyhow::Ok(answered.is_err())
    });
    let mut refused = 0;
    for call in futures::future::join_all(calls).await {
        refused += usize::from(call?);
    }
    text(response, 200, &refused.to_string()).await
}

fn outgoing(request: &IncomingRequest) -> anyhow::Result<OutgoingRequest> {
    let values = request.headers().get("x-url");
    let url = values.first().context("`x-url` is absent")?;
    let url = std::str::from_utf8(url)?;
    let (scheme, rest) = url.split_once("://").context("no scheme")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let outgoing = OutgoingRequest::new(Headers::new());
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let set = outgoing
        .set_scheme(Some(&scheme))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&format!("/{path}"))));
    set.map_err(|()| anyhow::anyhow!("bad url"))?;
    Ok(outgoing)
}

async fn variable(response: ResponseOutparam, name: &str) -> anyhow::Result<()> {
    match spin_sdk::variables::get(name) {
        Ok(value) => text(response, 200, &value).await,
        Err(error) => text(response, 404, &format!("{error:?}")).await,
    }
}

async fn file(response: ResponseOutparam, path: &str) -> anyhow::Result<()> {
    match std::fs::read_to_string(path) {
        Ok(content) => text(response, 200, &content).await,
        Err(error) => text(response, 404, &format!("{:?}", error.kind())).await,
    }
}

async fn write(response: ResponseOutparam, path: &str) -> anyhow::Result<()> {
    match std::fs::write(path, "written") {
        Ok(()) => text(response, 200, "written").await,
        Err(_) => text(response, 403, "refused").await,
    }
}
