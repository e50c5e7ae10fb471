//! Builds complete (not streamed) JSON responses with a status.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use serde_json::Value;

use super::request::ApiError;

/// Number of bytes of a piece of a body.
const PIECE: usize = 64 << 10;

/// A body that is passed on in pieces. The connection drops a body once it has buffered the last piece, so
/// without pieces a long answer would count as sent before its first byte is sent.
struct Pieces(Bytes);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let n = self.0.len().min(PIECE);
        Poll::Ready((n > 0).then(|| Ok(Frame::data(self.0.split_to(n)))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

pub(super) fn reply(status: u16, body: &Value) -> Response {
    reply_with(status, body.to_string())
}

/// A response with a body of serialized JSON.
pub(super) fn reply_with(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = Body::new(Pieces(body.into()));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) fn refuse(refusal: &ApiError) -> Response {
    let mut response = reply(refusal.status, &refusal.body());
    if refusal.status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
