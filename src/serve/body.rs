//! Reads the body of a request, with limits on time and size.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use super::prepare::{MIDDLE, SHORT};
use super::request::{ApiError, ApiResult};
use super::traffic::{Connection, Held};

/// Maximum size of a body in bytes. A larger body is read up to [`DISCARD`] bytes, so that the client
/// receives the error.
const BODY: usize = 4 << 20;
const DISCARD: usize = 64 << 20;
/// Time limit for reading a body. The time in which the body waits for its turn does not count.
const TIME: Duration = Duration::from_secs(30);
/// Length of a turn, in which the server reads one large body. A pause of the same length follows a turn of
/// full length. A turn ends earlier if no data arrives, so that a client that sends little or nothing does
/// not keep other clients waiting.
const TURN: Duration = Duration::from_millis(5);
/// Number of reads of the socket without data after which a turn ends.
const READS: usize = 2;

/// A complete body. Its size counts towards the limit of bodies in memory until the body is dropped.
pub(super) struct WholeBody {
    pub bytes: Vec<u8>,
    held: Option<Held>,
    _turn: Option<Turn>,
}

/// The permit to read a large body, and the time at which the turn began.
type Turn = (OwnedSemaphorePermit, Instant);

/// A body that is being received.
struct Incoming {
    body: Body,
    connection: Option<Connection>,
    /// Whether the declared size exceeds [`MIDDLE`] bytes or is missing.
    is_larger: bool,
    /// The turn of this body, if it has one now.
    turn: Option<Turn>,
    /// Number of bytes that had arrived when the last turn began.
    seen_before: usize,
    time_left: Duration,
}

impl Incoming {
    /// The next data, or `None` at the end of the body.
    async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            let began = Instant::now();
            let frame = timeout(self.time_left, self.frame()).await;
            self.time_left = self.time_left.saturating_sub(began.elapsed());
            let slow = |_| ApiError {
                status: 408,
                ..ApiError::invalid("", "the body did not arrive in time; send the request again")
            };
            let Some(frame) = frame.map_err(slow)? else { return Ok(None) };
            let frame =
                frame.map_err(|_| ApiError::invalid("", "the connection ended before the body was complete"));
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
    }

    async fn frame(&mut self) -> Option<Result<Frame<Bytes>, axum::Error>> {
        if self.turn.is_some() {
            for _ in 0..READS {
                // Yield, because the connection reads its socket only between two polls of the body.
                tokio::select! {
                    biased;
                    frame = self.body.frame() => return frame,
                    () = yield_now() => {}
                }
            }
            self.turn = None;
        }
        self.body.frame().await
    }

    /// Waits for a turn, after `seen` bytes have arrived. A request from within the process has no connection
    /// and needs no turn.
    async fn take_turn(&mut self, seen: usize) {
        if self.turn.as_ref().is_some_and(|(_, began)| began.elapsed() > TURN) {
            // Without this pause, clients that send data without a break would occupy the threads.
            sleep(TURN).await;
            self.turn = None;
        }
        if let (None, Some(connection)) = (&self.turn, &self.connection) {
            let bytes = seen - self.seen_before;
            self.turn = connection.turn(self.is_larger, bytes).await.map(|turn| (turn, Instant::now()));
            self.seen_before = seen;
        }
    }
}

impl WholeBody {
    /// Frees the bytes and ends the turn. The size counts towards the limit until the returned value is
    /// dropped.
    pub fn parsed(self) -> Option<Held> {
        self.held
    }
}

/// Reads the body of a request.
pub(super) async fn read(request: Request) -> ApiResult<WholeBody> {
    let too_large =
        || ApiError { status: 413, ..ApiError::invalid("", format!("the body is larger than {BODY} bytes")) };
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > DISCARD) {
        return Err(too_large());
    }
    let connection = request.extensions().get::<Connection>().cloned();
    let held = connection.as_ref().map(Connection::hold);
    // Long requests and middle requests have separate turns, so that middle requests do not wait for long
    // requests.
    let is_larger = declared.is_none_or(|length| length > MIDDLE);
    let body = request.into_body();
    let mut incoming = Incoming { body, connection, is_larger, turn: None, seen_before: 0, time_left: TIME };
    let (mut bytes, mut seen) = (vec![], 0);
    while let Some(data) = incoming.next().await? {
        seen += data.len();
        if seen > SHORT {
            // Yield, so that this thread also serves other connections while a body arrives without a pause.
            yield_now().await;
            incoming.take_turn(seen).await;
        }
        if seen <= BODY {
            if held.as_ref().is_some_and(|held| !held.add(data.len())) {
                return Err(ApiError::overloaded(
                    "the request bodies of all clients need too much memory; try again later",
                ));
            }
            bytes.extend_from_slice(&data);
        } else if seen > DISCARD {
            break;
        }
    }
    if seen > BODY {
        return Err(too_large());
    }
    if seen > SHORT {
        // The turn lasts until the request is parsed, which bounds the number of whole bodies in memory.
        // All bytes count, because the last data of a body may be small.
        incoming.seen_before = 0;
        incoming.take_turn(seen).await;
    }
    if let Some(connection) = incoming.connection {
        connection.answer();
    }
    Ok(WholeBody { bytes, held, _turn: incoming.turn })
}
