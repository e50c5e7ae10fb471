//! The HTTP protocol: routes, keys, bodies, errors, streams.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::request::{ApiError, ApiResult, ChatRequest, CompletionRequest, Prompt, RequestFields};
use super::running::{AnswerShape, RunningRequest, encode, fail};
use super::served_model::ServedModel;
use super::settings::ServerSettings;
use crate::seed;

/// Maximum size of a body in bytes; a larger one is read up to `DISCARD`, so that the client gets the error.
const BODY: usize = 4 << 20;
const DISCARD: usize = 64 << 20;
/// Timeout for reading a body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Pieces of a stream that are buffered for a slow client.
const PIECES: usize = 64;
/// How long sending the timeout error to a client that does not read may take.
const TIMEOUT_NOTICE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct App {
    served: Arc<Vec<Arc<ServedModel>>>,
    settings: Arc<ServerSettings>,
    requests: Arc<AtomicU64>,
}

/// Accepts requests until `stop` resolves for the first time; running requests are aborted when it resolves
/// the second time, or after the timeout of a request.
pub(super) async fn run<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    served: Vec<Arc<ServedModel>>,
    settings: ServerSettings,
    stop: impl Fn() -> F + Send + 'static,
) -> std::io::Result<()> {
    let grace = settings.timeout;
    let router = router(served, settings);
    let (stop_sender, mut stop_receiver) = tokio::sync::watch::channel(());
    let (first, second) = (stop(), stop);
    let stopped = async move {
        first.await;
        stop_sender.send_replace(());
    };
    let forced = async move {
        if stop_receiver.changed().await.is_err() {
            pending::<()>().await;
        }
        timeout(grace, second()).await.unwrap_or_default();
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(stopped).into_future() => ended,
        () = forced => Ok(()),
    }
}

/// The routes.
pub(super) fn router(served: Vec<Arc<ServedModel>>, settings: ServerSettings) -> Router {
    let app = App { served: Arc::new(served), settings: Arc::new(settings), requests: Arc::default() };
    Router::new()
        .route("/health", get(|| async { reply(200, &json!({"status": "ok"})) }))
        .route("/v1/models", get(models))
        .route("/v1/models/{*id}", get(model))
        .route("/v1/completions", post(completions))
        .route("/v1/chat/completions", post(chat))
        .fallback(|| async {
            refuse(&not_found(
                "no such route; this server has /v1/completions, /v1/chat/completions, /v1/models and \
                 /health",
            ))
        })
        .method_not_allowed_fallback(|| async {
            refuse(&ApiError {
                status: 405,
                ..ApiError::invalid("", "the route does not accept this method")
            })
        })
        .with_state(app)
}

/// Waits for an interrupt or termination signal.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

fn reply(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn refuse(refusal: &ApiError) -> Response {
    let mut response = reply(refusal.status, &refusal.body());
    if refusal.status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError { status: 404, ..ApiError::invalid("", message) }
}

impl App {
    /// Checks the client's key. The comparison takes constant time.
    fn admit(&self, request: &Request) -> ApiResult<()> {
        let Some(key) = &self.settings.key else { return Ok(()) };
        let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let wanted = format!("Bearer {key}").into_bytes();
        let differs = given
            .iter()
            .zip(&wanted)
            .fold(given.len() ^ wanted.len(), |bits, (a, b)| bits | usize::from(a ^ b));
        if differs == 0 {
            return Ok(());
        }
        let message = "the key is missing or wrong; send it as `Authorization: Bearer KEY`";
        Err(ApiError { status: 401, code: Some("invalid_api_key"), ..ApiError::invalid("", message) })
    }

    fn find(&self, id: &str) -> ApiResult<Arc<ServedModel>> {
        self.served.iter().find(|served| served.id == id).cloned().ok_or_else(|| ApiError {
            status: 404,
            code: Some("model_not_found"),
            ..ApiError::invalid(
                "model",
                format!("the model `{id}` is not served here; GET /v1/models lists those that are"),
            )
        })
    }

    /// A number for a request, and its seed if it gives none.
    fn number(&self) -> (u64, u64) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        (number, seed::derive("request", &number.to_string(), self.settings.seed))
    }
}

async fn fields(app: &App, request: Request) -> ApiResult<RequestFields> {
    app.admit(&request)?;
    let too_large =
        || ApiError { status: 413, ..ApiError::invalid("", format!("the body is larger than {BODY} bytes")) };
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > DISCARD) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let read = async {
        let (mut bytes, mut seen) = (vec![], 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::invalid("", "the body ended before it was complete"))?;
            let Some(data) = frame.data_ref() else { continue };
            seen += data.len();
            if seen <= BODY {
                bytes.extend_from_slice(data);
            } else if seen > DISCARD {
                break;
            }
        }
        if seen <= BODY { Ok(bytes) } else { Err(too_large()) }
    };
    let slow = || ApiError { status: 408, ..ApiError::invalid("", "the body did not arrive in time") };
    RequestFields::parse(&timeout(BODY_TIME, read).await.map_err(|_| slow())??)
}

fn card(served: &ServedModel) -> Value {
    json!({
        "id": served.id, "object": "model", "created": 0, "owned_by": "local",
        "max_model_len": served.max_positions
    })
}

async fn models(State(app): State<App>, request: Request) -> Response {
    if let Err(refusal) = app.admit(&request) {
        return refuse(&refusal);
    }
    reply(
        200,
        &json!({"object": "list", "data": app.served.iter().map(|served| card(served)).collect::<Vec<_>>()}),
    )
}

async fn model(State(app): State<App>, Path(id): Path<String>, request: Request) -> Response {
    match app.admit(&request).and_then(|()| app.find(&id)) {
        Ok(served) => reply(200, &card(&served)),
        Err(refusal) => refuse(&refusal),
    }
}

async fn completions(State(app): State<App>, request: Request) -> Response {
    let begun = async {
        let fields = fields(&app, request).await?;
        let (number, seed) = app.number();
        let CompletionRequest { common, prompts, echo } = CompletionRequest::of(&fields, seed)?;
        let served = app.find(&common.model)?;
        let encoded = prompts
            .iter()
            .map(|prompt| encode(&served, served.engine.tokenizer(), prompt, true))
            .collect::<ApiResult<Vec<_>>>()?;
        RunningRequest::begin(AnswerShape::Completion { echo }, number, common, served, encoded)
    };
    respond(&app, begun).await
}

async fn chat(State(app): State<App>, request: Request) -> Response {
    let begun = async {
        let fields = fields(&app, request).await?;
        let (number, seed) = app.number();
        let ChatRequest { mut common, messages } = ChatRequest::of(&fields, seed)?;
        let served = app.find(&common.model)?;
        let rendered = served.template.render(&messages);
        let (text, special) = rendered.map_err(|reason| ApiError::invalid("messages", reason))?;
        let encoded = encode(&served, &served.chat_tokenizer, &Prompt::Text(text), !special)?;
        if !common.has_max_tokens {
            common.sampling.max_tokens = served.max_positions.saturating_sub(encoded.ids.len()).max(1);
        }
        RunningRequest::begin(AnswerShape::Chat, number, common, served, vec![encoded])
    };
    respond(&app, begun).await
}

fn timeout_message(time: Duration) -> String {
    format!("the answer was not complete after {} s", time.as_secs())
}

async fn respond(app: &App, begun: impl Future<Output = ApiResult<RunningRequest>>) -> Response {
    let time = app.settings.timeout;
    match begun.await {
        Err(refusal) => refuse(&refusal),
        Ok(running) if running.common.stream => {
            let (mut sender, body) = Channel::<Bytes>::new(PIECES);
            tokio::spawn(async move {
                // A disconnected client or the timeout ends the task, and with it the sequences.
                if timeout(time, running.stream(&mut sender)).await.is_err() {
                    let message = timeout_message(time);
                    let sent = fail(&mut sender, "timeout_error", 504, &message);
                    timeout(TIMEOUT_NOTICE, sent).await.unwrap_or_default();
                }
            });
            let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
            (headers, Body::new(body)).into_response()
        }
        Ok(running) => match timeout(time, running.whole()).await {
            Ok(Ok(body)) => reply(200, &body),
            Ok(Err(refusal)) => refuse(&refusal),
            Err(_) => refuse(&ApiError {
                status: 504,
                kind: "timeout_error",
                ..ApiError::invalid("", timeout_message(time))
            }),
        },
    }
}
