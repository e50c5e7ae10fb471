//! Reads the body of a request, with limits on time and size.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::request::{ApiError, ApiResult};
use super::traffic::{Connection, Held};

/// Maximum size of a body in bytes. A larger body is read up to [`DISCARD`] bytes, so that the client
/// receives the error.
const BODY: usize = 4 << 20;
const DISCARD: usize = 64 << 20;
/// A body with more bytes than this waits for a place among the large bodies.
const LARGE: usize = 64 << 10;
/// Time limit for reading a body.
const TIME: Duration = Duration::from_secs(30);

/// A complete body. It counts towards the limit of bodies in memory until it is dropped.
pub(super) struct WholeBody {
    pub bytes: Vec<u8>,
    held: Option<Held>,
    _large: Option<OwnedSemaphorePermit>,
}

impl WholeBody {
    /// Frees the bytes and the place. The size still counts towards the limit until the result is dropped.
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
    // A request from within the process has no connection.
    let connection = request.extensions().get::<Connection>().cloned();
    let held = connection.as_ref().map(Connection::hold);
    let mut body = request.into_body();
    let read = async {
        let (mut bytes, mut seen, mut large) = (vec![], 0, None);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| {
                ApiError::invalid(
                    "",
                    "the connection ended before the body was \
                                                                 complete",
                )
            })?;
            let Some(data) = frame.data_ref() else { continue };
            seen += data.len();
            if seen > LARGE {
                // A body that arrives without a pause must not keep this thread from other connections.
                tokio::task::yield_now().await;
            }
            if let Some(connection) = connection.as_ref().filter(|_| seen > LARGE && large.is_none()) {
                large = connection.large().await;
            }
            if seen <= BODY {
                if held.as_ref().is_some_and(|held| !held.add(data.len())) {
                    return Err(ApiError::overloaded(
                        "too many request bodies are in progress; try again \
                                                     later",
                    ));
                }
                bytes.extend_from_slice(data);
            } else if seen > DISCARD {
                break;
            }
        }
        if seen <= BODY { Ok((bytes, large)) } else { Err(too_large()) }
    };
    let slow = || ApiError { status: 408, ..ApiError::invalid("", "the body did not arrive in time") };
    let (bytes, large) = timeout(TIME, read).await.map_err(|_| slow())??;
    if let Some(connection) = connection {
        connection.answer();
    }
    Ok(WholeBody { bytes, held, _large: large })
}
