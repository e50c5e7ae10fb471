//! Implements the HTTP protocol: routes, keys, errors, streams.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use http_body_util::channel::Channel;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::answered::{refuse, reply, reply_with};
use super::body;
use super::prepare::Preparation;
use super::request::{ApiError, ApiResult, ChatRequest, CompletionRequest, Prompt, RequestFields};
use super::running::{AnswerShape, RunningRequest, encode_all, fail};
use super::served_model::ServedModel;
use super::settings::ServerSettings;
use crate::model::chat::TIME as RENDERING;
use crate::seed;

/// Maximum number of events of a stream that are buffered for a slow client.
const PIECES: usize = 64;
/// How long to try to send the timeout error to a client that does not read.
const TIMEOUT_NOTICE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct App {
    served: Arc<Vec<Arc<ServedModel>>>,
    settings: Arc<ServerSettings>,
    requests: Arc<AtomicU64>,
    parsing: Preparation,
}

/// Builds the router.
pub(super) fn router(served: Vec<Arc<ServedModel>>, settings: ServerSettings) -> Router {
    let app = App {
        served: Arc::new(served),
        settings: Arc::new(settings),
        requests: Arc::default(),
        parsing: Preparation::new(),
    };
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
                ..ApiError::invalid(
                    "",
                    "this route does not accept the HTTP method; use POST for completions, and GET for other \
                     routes",
                )
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

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError { status: 404, ..ApiError::invalid("", message) }
}

impl App {
    /// Checks the key of the client. The comparison takes constant time.
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
                format!("the model `{id}` is not served here; GET /v1/models lists the served models"),
            )
        })
    }

    /// The number of a request, and the seed to use if the request sets none.
    fn number(&self) -> (u64, u64) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        (number, seed::derive("request", &number.to_string(), self.settings.seed))
    }
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
    respond(&app, begin_completion(&app, request)).await
}

/// Reads a request and prepares its answer outside the threads that handle sockets.
async fn begin_completion(app: &App, request: Request) -> ApiResult<RunningRequest> {
    app.admit(&request)?;
    let body = body::read(request).await?;
    let (own, size) = (app.clone(), body.bytes.len());
    let parse = move || {
        let (number, seed) = own.number();
        let request = CompletionRequest::of(&RequestFields::parse(&body.bytes)?, seed)?;
        Ok((number, own.find(&request.common.model)?, request, body.parsed()))
    };
    let (number, served, request, held) = app.parsing.places(size).run(parse).await?;
    let CompletionRequest { common, prompts, echo } = request;
    let model = served.clone();
    let shape = AnswerShape::Completion { echo };
    let prepare = move || {
        let encoded = encode_all(&model, model.engine.tokenizer(), (&prompts, shape.prompt_param()), true)?;
        drop(held);
        RunningRequest::begin(shape, number, common, model, encoded)
    };
    served.tokenizing.places(size).run(prepare).await
}

async fn chat(State(app): State<App>, request: Request) -> Response {
    respond(&app, begin_chat(&app, request)).await
}

/// Like [`begin_completion`], but first renders the messages with the chat template. Each model has its own
/// threads for rendering, so a slow template delays only the chats with its model.
async fn begin_chat(app: &App, request: Request) -> ApiResult<RunningRequest> {
    app.admit(&request)?;
    let body = body::read(request).await?;
    let (own, size) = (app.clone(), body.bytes.len());
    let parse = move || {
        let (number, seed) = own.number();
        let request = ChatRequest::of(&RequestFields::parse(&body.bytes)?, seed)?;
        Ok((number, own.find(&request.common.model)?, request, body.parsed()))
    };
    let (number, served, request, held) = app.parsing.places(size).run(parse).await?;
    let ChatRequest { mut common, messages } = request;
    // Rendering takes at most half of the time limit of a request, so that there is time left for its error.
    let (limit, model) = (RENDERING.min(app.settings.timeout / 2), served.clone());
    let render = move || {
        let rendered = model.template.render_within(&messages, limit);
        rendered.map_err(|refusal| match refusal.is_of_template {
            true => ApiError::invalid("messages", refusal.reason),
            false => ApiError::failed(refusal.reason),
        })
    };
    let (text, special) = served.rendering.places(size).run(render).await?;
    let model = served.clone();
    let shape = AnswerShape::Chat;
    let prepare = move || {
        let prompts = (&[Prompt::Text(text)][..], shape.prompt_param());
        let encoded = encode_all(&model, &model.chat_tokenizer, prompts, !special)?;
        drop(held);
        if !common.has_max_tokens {
            let n: usize = encoded.iter().map(|prompt| prompt.ids.len()).sum();
            common.sampling.max_tokens = model.max_positions.saturating_sub(n).max(1);
        }
        RunningRequest::begin(shape, number, common, model, encoded)
    };
    served.tokenizing.places(size).run(prepare).await
}

fn timeout_message(time: Duration) -> String {
    format!("the answer was not complete after {} s; ask for fewer tokens", time.as_secs())
}

async fn respond(app: &App, begun: impl Future<Output = ApiResult<RunningRequest>>) -> Response {
    let time = app.settings.timeout;
    let deadline = Instant::now() + time;
    let timed_out =
        || ApiError { status: 504, kind: "timeout_error", ..ApiError::invalid("", timeout_message(time)) };
    match timeout_at(deadline, begun).await.unwrap_or_else(|_| Err(timed_out())) {
        Err(refusal) => refuse(&refusal),
        Ok(running) if running.common.stream => {
            let (mut sender, body) = Channel::<Bytes>::new(PIECES);
            // If the client disconnects, the body is dropped together with `connected`, which ends the task
            // below.
            let (connected, disconnected) = oneshot::channel::<()>();
            let body = body.map_frame(move |frame| {
                let _while_connected = &connected;
                frame
            });
            tokio::spawn(async move {
                // If the client disconnects or the time is up, the task ends, and its sequences end with it.
                let ended = tokio::select! {
                    ended = timeout_at(deadline, running.stream(&mut sender)) => ended,
                    _ = disconnected => return,
                };
                if ended.is_err() {
                    let message = timeout_message(time);
                    let sent = fail(&mut sender, "timeout_error", 504, &message);
                    timeout(TIMEOUT_NOTICE, sent).await.unwrap_or_default();
                }
            });
            let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
            (headers, Body::new(body)).into_response()
        }
        Ok(running) => match timeout_at(deadline, running.whole()).await {
            Ok(Ok(body)) => reply_with(200, body),
            Ok(Err(refusal)) => refuse(&refusal),
            Err(_) => refuse(&timed_out()),
        },
    }
}
