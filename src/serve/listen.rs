//! Accepts connections and closes them: when a request head takes too long, when other clients wait for a
//! connection, and when the server stops.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::origin;
use super::stalled::Stalled;
use super::traffic::{Asked, Connection, Full, Traffic};

/// Time limit for a request head, and for a connection without a request.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Maximum size of a head in bytes.
const HEAD: usize = 64 << 10;
/// Maximum time that a stopping server waits for the completion of running requests.
const GRACE: Duration = Duration::from_secs(10);
/// How long a stopping server waits for a connection without a request to send the rest of its answer.
const FLUSH: Duration = Duration::from_secs(1);
/// How long to wait after a failed accept.
const PAUSE: Duration = Duration::from_millis(20);
/// How long to wait until another connection may be closed.
const SHORT_PAUSE: Duration = Duration::from_millis(2);

/// Accepts requests until `stop` resolves for the first time. Started requests are then finished. They are
/// aborted when `stop` resolves a second time, or after `grace` (at most ten seconds).
pub(crate) async fn listen<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    router: Router,
    grace: Duration,
    stop: impl Fn() -> F + Send + 'static,
) -> std::io::Result<()> {
    let is_loopback = listener.local_addr()?.ip().is_loopback();
    let traffic = Arc::new(Traffic::default());
    let (stopping, stopped) = watch::channel(());
    // Every connection holds a sender, so `recv` returns when the last connection has closed.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let first = stop();
    tokio::pin!(first);
    'accept: loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut first => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = loop {
                    match traffic.open() {
                        Err(Full::ForNow) => tokio::select! {
                            () = sleep(SHORT_PAUSE) => {}
                            () = &mut first => break 'accept,
                        },
                        opened => break opened,
                    }
                };
                // If all connections are being answered, the new connection is closed at once.
                let Ok(connection) = connection else { continue };
                let (router, stopped, open) = (router.clone(), stopped.clone(), open.clone());
                tokio::spawn(async move {
                    converse(stream, connection, router, is_loopback, stopped).await;
                    drop(open);
                });
            }
            // The client has disconnected, or the process has no free file descriptor.
            Err(_) => {
                traffic.close_one();
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(());
    drop(open);
    tokio::select! {
        _ = all_closed.recv() => {}
        _ = timeout(grace.min(GRACE), stop()) => {}
    }
    Ok(())
}

/// Handles the requests of one connection.
async fn converse(
    stream: TcpStream,
    connection: Connection,
    router: Router,
    is_loopback: bool,
    mut stopped: watch::Receiver<()>,
) {
    // Disable Nagle's algorithm, which would delay small parts of a stream.
    stream.set_nodelay(true).unwrap_or_default();
    let asks = connection.clone();
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let asked = asks.ask();
        if request.body().is_end_stream() {
            asks.answer();
        }
        request.extensions_mut().insert(asks.clone());
        let router = router.clone();
        async move {
            let request = request.map(Body::new);
            let response = match origin::refusal(&request, is_loopback) {
                Some(refusal) => refusal,
                None => router.oneshot(request).await?,
            };
            Ok::<_, Infallible>(until_sent(response, asked))
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD);
    let served = builder.serve_connection(TokioIo::new(Stalled::new(stream)), service);
    tokio::pin!(served);
    let is_stopped = async {
        if stopped.changed().await.is_err() {
            pending::<()>().await;
        }
    };
    // An error at the end of a connection is not reported: it concerns only the client.
    tokio::select! {
        biased;
        () = connection.ended() => return,
        _ = &mut served => return,
        () = is_stopped => {}
    }
    let is_asked = connection.is_asked();
    served.as_mut().graceful_shutdown();
    if is_asked {
        served.await.unwrap_or_default();
    } else {
        // The last piece of an answer may still be in the buffer of the connection.
        timeout(FLUSH, served).await.unwrap_or(Ok(())).unwrap_or_default();
    }
}

/// Keeps `asked` until the answer is sent, so that the connection is not closed before then.
fn until_sent(mut response: Response, asked: Asked) -> Response {
    if let Some(length) = response.body().size_hint().exact() {
        // An answer to HEAD states the length of the body that it omits.
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _sent_with_it = &asked;
            frame
        }))
    })
}
