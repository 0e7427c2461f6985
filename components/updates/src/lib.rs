//! What changes, at once: every change becomes a message for open pages, and a stream tells a page all of them.

#![expect(unsafe_code, reason = "the export that `http_component` writes is unsafe code of spin-sdk")]

use http::{HeaderValue, Method, header};
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::http_component;
use todo_app::events::{TaskTopicEvent, take_task_event};
use todo_app::failure::Failure;
use todo_app::handlers::{self, updates::Operation as Event};
use todo_app::http::{Request, Response, header_text, problem::Problem};
use todo_app::routes::updates::{Operation, ROUTES};
use todo_app::spin::{Call, Incoming, Reply, SpinTransport, now, only_the_sidecar, polls_updates, serve_to, subscribe};
use todo_app::updates::{Source, TASK_UPDATES};
use todo_app::{sse, wire};

type App = todo_app::App<SpinTransport>;
type Stream = Reply<Source<Incoming, SpinTransport>>;

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    if request.path_with_query().is_some_and(|path| path.starts_with(handlers::EVENTS)) {
        return serve_to(request, out, handlers::updates::ROUTES, take_event).await;
    }
    serve_to(request, out, ROUTES, answer).await;
}

async fn answer(app: App, call: Call<Operation>) -> Result<Stream, Problem> {
    match call.operation {
        Operation::StreamUpdates => stream_updates(&app, &call.request).await,
    }
}

async fn stream_updates(app: &App, request: &Request) -> Result<Stream, Problem> {
    let listener = app.listener(request).await?;
    let last_event_id = header_text(request, "last-event-id");
    let resume = wire::updates_query(request.uri().query(), last_event_id).map_err(Problem::invalid)?;
    let mut head = Response::new(Vec::new());
    head.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(sse::EVENT_STREAM));
    // nginx would collect events before it passes them on.
    head.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    if request.method() == Method::HEAD {
        return Ok(Reply::Whole(head));
    }
    if polls_updates()? {
        let poller = app.poll_updates(listener, resume, now, std::thread::sleep).await?;
        return Ok(Reply::InPieces(head, Source::Poll(poller)));
    }
    let upstream = subscribe(&app.settings.pubsub, TASK_UPDATES, &listener.key()).await?;
    let relay = app.relay(listener, resume, upstream, now).await?;
    Ok(Reply::InPieces(head, Source::Stream(relay)))
}

async fn take_event(app: App, call: Call<Event>) -> Result<Stream, Problem> {
    only_the_sidecar(&call.request)?;
    let answer = match call.operation {
        Event::TellPages => take_task_event(&call.request, async |event| Ok(tell(&app, event).await?)).await?,
    };
    Ok(Reply::Whole(answer))
}

async fn tell(app: &App, event: TaskTopicEvent) -> Result<(), Failure> {
    match event {
        TaskTopicEvent::Task(event) => app.record_updates(&event).await,
        TaskTopicEvent::AccountDeleted(event) => app.forget_updates(&event).await,
    }
}
