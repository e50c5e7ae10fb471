//! The protocol: routes, keys, bodies, errors, streams.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use super::answer::{Choice, Encoded, usage};
use super::request::{Chat, Checked, Common, Completion, Fields, Prompt, Refusal};
use super::sequence::{Ask, Event};
use super::{Served, Settings};
use crate::model::Tokenizer;
use crate::seed;

/// Bytes of a body at most; a longer one is read to its end, up to `DISCARD`, so that the client hears why.
const BODY: usize = 4 << 20;
const DISCARD: usize = 64 << 20;
/// A body that comes slower is not waited for.
const BODY_TIME: Duration = Duration::from_secs(30);
/// Tokens before a token of a prompt that its text is made out by.
const CONTEXT: usize = 8;
/// Pieces of a stream that wait for a client that reads slowly.
const PIECES: usize = 64;

#[derive(Clone)]
struct App {
    served: Arc<Vec<Arc<Served>>>,
    settings: Arc<Settings>,
    requests: Arc<AtomicU64>,
}

/// Takes requests until the process is told to stop; a second signal, or the time of one request, ends what still runs.
pub(super) async fn run(listener: TcpListener, served: Vec<Arc<Served>>, settings: Settings) -> std::io::Result<()> {
    let grace = settings.timeout;
    let app = App { served: Arc::new(served), settings: Arc::new(settings), requests: Arc::default() };
    let router = Router::new()
        .route("/health", get(|| async { reply(200, &json!({"status": "ok"})) }))
        .route("/v1/models", get(models))
        .route("/v1/models/{*id}", get(model))
        .route("/v1/completions", post(completions))
        .route("/v1/chat/completions", post(chat))
        .fallback(|| async {
            refuse(&not_found(
                "no such route; this server has /v1/completions, /v1/chat/completions, /v1/models and /health",
            ))
        })
        .method_not_allowed_fallback(|| async {
            refuse(&Refusal { status: 405, ..Refusal::invalid("", "the route does not take this method") })
        })
        .with_state(app);
    let (told, mut hears) = tokio::sync::watch::channel(());
    let stopped = async move {
        told_to_stop().await;
        told.send_replace(());
    };
    let forced = async move {
        if hears.changed().await.is_err() {
            pending::<()>().await;
        }
        timeout(grace, told_to_stop()).await.unwrap_or_default();
    };
    tokio::select! {
        ended = axum::serve(listener, router).with_graceful_shutdown(stopped).into_future() => ended,
        () = forced => Ok(()),
    }
}

/// Interrupt or termination.
async fn told_to_stop() {
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

fn refuse(refusal: &Refusal) -> Response {
    let mut response = reply(refusal.status, &refusal.body());
    if refusal.status == 503 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal { status: 404, ..Refusal::invalid("", message) }
}

impl App {
    /// Whether the client may ask. Every byte is compared, whatever the first ones are.
    fn admit(&self, request: &Request) -> Checked<()> {
        let Some(key) = &self.settings.key else { return Ok(()) };
        let given = request.headers().get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let wanted = format!("Bearer {key}").into_bytes();
        let differs =
            given.iter().zip(&wanted).fold(given.len() ^ wanted.len(), |bits, (a, b)| bits | usize::from(a ^ b));
        if differs == 0 {
            return Ok(());
        }
        let message = "the key is missing or wrong; send it as `Authorization: Bearer KEY`";
        Err(Refusal { status: 401, code: Some("invalid_api_key"), ..Refusal::invalid("", message) })
    }

    fn find(&self, id: &str) -> Checked<Arc<Served>> {
        self.served.iter().find(|served| served.id == id).cloned().ok_or_else(|| Refusal {
            status: 404,
            code: Some("model_not_found"),
            ..Refusal::invalid(
                "model",
                format!("the model `{id}` is not served here; GET /v1/models lists those that are"),
            )
        })
    }

    /// A number for a request, and the seed it has if it gives none.
    fn number(&self) -> (u64, u64) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        (number, seed::derive("request", &number.to_string(), self.settings.seed))
    }
}

async fn fields(app: &App, request: Request) -> Checked<Fields> {
    app.admit(&request)?;
    let too_large = || Refusal { status: 413, ..Refusal::invalid("", format!("the body is larger than {BODY} bytes")) };
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > DISCARD) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let read = async {
        let (mut bytes, mut seen) = (vec![], 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::invalid("", "the body ended before it was complete"))?;
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
    let slow = || Refusal { status: 408, ..Refusal::invalid("", "the body did not come in time") };
    Fields::parse(&timeout(BODY_TIME, read).await.map_err(|_| slow())??)
}

fn card(served: &Served) -> Value {
    json!({"id": served.id, "object": "model", "created": 0, "owned_by": "local", "max_model_len": served.max_positions})
}

async fn models(State(app): State<App>, request: Request) -> Response {
    if let Err(refusal) = app.admit(&request) {
        return refuse(&refusal);
    }
    reply(200, &json!({"object": "list", "data": app.served.iter().map(|served| card(served)).collect::<Vec<_>>()}))
}

async fn model(State(app): State<App>, Path(id): Path<String>, request: Request) -> Response {
    match app.admit(&request).and_then(|()| app.find(&id)) {
        Ok(served) => reply(200, &card(&served)),
        Err(refusal) => refuse(&refusal),
    }
}

/// Which of the two shapes an answer has.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Completion { echo: bool },
    Chat,
}

/// A request on its way.
struct Running {
    shape: Shape,
    number: u64,
    created: u64,
    common: Common,
    served: Arc<Served>,
    encoded: Vec<Encoded>,
    choices: Vec<Choice>,
    events: UnboundedReceiver<(usize, Event)>,
}

async fn completions(State(app): State<App>, request: Request) -> Response {
    let begun = async {
        let fields = fields(&app, request).await?;
        let (number, seed) = app.number();
        let Completion { common, prompts, echo } = Completion::of(&fields, seed)?;
        let served = app.find(&common.model)?;
        let encoded = prompts
            .iter()
            .map(|prompt| encode(&served, served.engine.tokenizer(), prompt, true))
            .collect::<Checked<Vec<_>>>()?;
        Running::begin(Shape::Completion { echo }, number, common, served, encoded)
    };
    respond(&app, begun).await
}

async fn chat(State(app): State<App>, request: Request) -> Response {
    let begun = async {
        let fields = fields(&app, request).await?;
        let (number, seed) = app.number();
        let Chat { mut common, messages } = Chat::of(&fields, seed)?;
        let served = app.find(&common.model)?;
        let (text, special) = served.template.render(&messages)?;
        let encoded = encode(&served, &served.chat_tokenizer, &Prompt::Text(text), !special)?;
        if !common.sized {
            common.drawing.max_tokens = served.max_positions.saturating_sub(encoded.ids.len()).max(1);
        }
        Running::begin(Shape::Chat, number, common, served, vec![encoded])
    };
    respond(&app, begun).await
}

async fn respond(app: &App, begun: impl Future<Output = Checked<Running>>) -> Response {
    let time = app.settings.timeout;
    match begun.await {
        Err(refusal) => refuse(&refusal),
        Ok(running) if running.common.stream => {
            let (sender, body) = Channel::<Bytes>::new(PIECES);
            tokio::spawn(async move {
                // A client that is gone ends the task, and with it the sequences; so does the time.
                timeout(time, running.stream(sender)).await.unwrap_or_default();
            });
            let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
            (headers, Body::new(body)).into_response()
        }
        Ok(running) => match timeout(time, running.whole()).await {
            Ok(Ok(body)) => reply(200, &body),
            Ok(Err(refusal)) => refuse(&refusal),
            Err(_) => {
                let message = format!("the answer was not complete after {} s", time.as_secs());
                refuse(&Refusal { status: 504, kind: "timeout_error", ..Refusal::invalid("", message) })
            }
        },
    }
}

fn encode(served: &Served, tokenizer: &Tokenizer, prompt: &Prompt, special: bool) -> Checked<Encoded> {
    let encoded = match prompt {
        Prompt::Ids(ids) => {
            if let Some(id) = ids.iter().find(|id| **id as usize >= served.vocab_size) {
                let reason = format!("token id {id} is out of range: the vocabulary has {}", served.vocab_size);
                return Err(Refusal::invalid("prompt", reason));
            }
            let piece = |n: usize| {
                let context = &ids[n.saturating_sub(CONTEXT)..n];
                let before = tokenizer.decode(context).len();
                let text = tokenizer.decode(&ids[n.saturating_sub(CONTEXT)..=n]);
                text.get(before..).unwrap_or_default().to_owned()
            };
            let n = ids.len().min(served.max_positions + 1);
            Encoded { ids: ids.clone(), pieces: (0..n).map(piece).collect() }
        }
        Prompt::Text(text) => {
            // No tokenizer makes one token of more text than this; a longer one need not be read to be refused.
            if text.len() > 64 * served.max_positions {
                return Err(too_long(served, "more tokens than it has bytes in 64", 0));
            }
            let (ids, pieces) =
                tokenizer.encode_any(text, special).map_err(|error| Refusal::invalid("prompt", error.to_string()))?;
            Encoded { ids, pieces }
        }
    };
    if encoded.ids.is_empty() {
        return Err(Refusal::invalid("prompt", "the prompt has no token"));
    }
    Ok(encoded)
}

fn too_long(served: &Served, prompt: impl std::fmt::Display, max_tokens: usize) -> Refusal {
    let message = format!(
        "This model's maximum context length is {} tokens. However, you requested {prompt} in the prompt and {max_tokens} in the completion.",
        served.max_positions
    );
    Refusal { code: Some("context_length_exceeded"), ..Refusal::invalid("messages", message) }
}

impl Running {
    fn begin(shape: Shape, number: u64, common: Common, served: Arc<Served>, encoded: Vec<Encoded>) -> Checked<Self> {
        let drawing = &common.drawing;
        for prompt in &encoded {
            // The last token drawn is never read, so that it needs no position; the originals count it all the same.
            if prompt.ids.len() + drawing.max_tokens > served.max_positions {
                return Err(too_long(&served, prompt.ids.len(), drawing.max_tokens));
            }
        }
        let (reply, events) = unbounded_channel();
        let asks = encoded.iter().enumerate().flat_map(|(p, prompt)| {
            let reply = &reply;
            (0..common.n).map(move |i| {
                let mut drawing = drawing.clone();
                if i > 0 {
                    drawing.seed = seed::derive("choice", &i.to_string(), drawing.seed);
                }
                Ask { prompt: prompt.ids.clone(), drawing, index: p * common.n + i, reply: reply.clone() }
            })
        });
        let full = |_| Refusal {
            status: 503,
            kind: "overloaded_error",
            ..Refusal::invalid("", "too many requests are waiting; try again later")
        };
        served.engine.ask(asks.collect()).map_err(full)?;
        let echo = shape == Shape::Completion { echo: true };
        let choices =
            encoded.iter().flat_map(|prompt| (0..common.n).map(move |_| Choice::begin(prompt, echo))).collect();
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(Self { shape, number, created, common, served, encoded, choices, events })
    }

    fn usage(&self) -> Value {
        let prompt_tokens: usize = self.encoded.iter().map(|prompt| prompt.ids.len()).sum();
        usage(prompt_tokens, self.choices.iter().map(|choice| choice.n_tokens).sum())
    }

    fn envelope(&self, whole: bool) -> Value {
        let (id, object) = match (self.shape, whole) {
            (Shape::Completion { .. }, _) => ("cmpl", "text_completion"),
            (Shape::Chat, true) => ("chatcmpl", "chat.completion"),
            (Shape::Chat, false) => ("chatcmpl", "chat.completion.chunk"),
        };
        let id = format!("{id}-{}", self.number);
        json!({"id": id, "object": object, "created": self.created, "model": self.served.id, "choices": []})
    }

    async fn whole(mut self) -> Checked<Value> {
        while !self.choices.iter().all(Choice::is_over) {
            let Some((index, event)) = self.events.recv().await else { break };
            let prompt = &self.encoded[index / self.common.n];
            self.choices[index].take(event, prompt);
        }
        let lost = || Some("the sequence was lost".to_owned());
        let failed = |choice: &Choice| choice.failed.clone().or_else(|| if choice.is_over() { None } else { lost() });
        if let Some(message) = self.choices.iter().find_map(failed) {
            return Err(Refusal { status: 500, kind: "server_error", ..Refusal::invalid("", message) });
        }
        let (logprobs, tokenizer) = (self.common.drawing.logprobs.is_some(), self.served.engine.tokenizer());
        let choices = self.choices.iter().enumerate().map(|(index, choice)| match self.shape {
            Shape::Completion { .. } => choice.completion(index, logprobs, tokenizer),
            Shape::Chat => choice.chat(index, logprobs, tokenizer),
        });
        let mut body = self.envelope(true);
        body["choices"] = choices.collect();
        body["usage"] = self.usage();
        Ok(body)
    }

    async fn stream(mut self, mut sender: Sender<Bytes>) {
        let mut offsets = vec![(0, 0); self.choices.len()];
        for index in 0..self.choices.len() {
            let echoed = match self.shape {
                Shape::Chat => Some(
                    json!({"index": index, "delta": {"role": "assistant", "content": ""}, "logprobs": null, "finish_reason": null}),
                ),
                // With log-probabilities the prompt's text comes with its tokens.
                Shape::Completion { echo: true } => {
                    let text = self.encoded[index / self.common.n].pieces.concat();
                    Some(json!({"text": text, "index": index, "logprobs": null, "finish_reason": null}))
                }
                Shape::Completion { echo: false } => None,
            };
            if let Some(choice) = echoed
                && !self.send(&mut sender, choice).await
            {
                return;
            }
        }
        while !self.choices.iter().all(Choice::is_over) {
            let Some((index, event)) = self.events.recv().await else { return };
            let prompt = &self.encoded[index / self.common.n];
            let is_prompt = matches!(event, Event::Prompt(_));
            let text = self.choices[index].take(event, prompt);
            let choice = &self.choices[index];
            if let Some(message) = &choice.failed {
                let refusal = Refusal { status: 500, kind: "server_error", ..Refusal::invalid("", message.clone()) };
                let data = format!("data: {}\n\n", refusal.body());
                sender.send_data(data.into()).await.unwrap_or_default();
                return;
            }
            let piece = self.piece(index, &text, &mut offsets[index]);
            if (is_prompt || !text.is_empty() || choice.is_over() || !piece["logprobs"].is_null())
                && !self.send(&mut sender, piece).await
            {
                return;
            }
        }
        if self.common.include_usage {
            let mut body = self.envelope(false);
            body["usage"] = self.usage();
            if sender.send_data(format!("data: {body}\n\n").into()).await.is_err() {
                return;
            }
        }
        sender.send_data("data: [DONE]\n\n".into()).await.unwrap_or_default();
    }

    /// What is new in a choice: text, and the tokens it is told of since.
    fn piece(&self, index: usize, text: &str, (told, offset): &mut (usize, usize)) -> Value {
        let (choice, tokenizer) = (&self.choices[index], self.served.engine.tokenizer());
        let news = self.common.drawing.logprobs.is_some() && choice.n_told() > *told;
        let first = std::mem::replace(told, choice.n_told());
        match self.shape {
            Shape::Completion { .. } => {
                let logprobs = news.then(|| choice.completion_logprobs(first, *offset, tokenizer));
                let logprobs = logprobs.map_or(Value::Null, |(logprobs, end)| {
                    *offset = end;
                    logprobs
                });
                json!({"text": text, "index": index, "logprobs": logprobs, "finish_reason": choice.finish()})
            }
            Shape::Chat => {
                let logprobs = if news { choice.chat_logprobs(first, tokenizer) } else { Value::Null };
                let delta = if text.is_empty() { json!({}) } else { json!({"content": text}) };
                json!({"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": choice.finish()})
            }
        }
    }

    /// Whether the client is still there.
    async fn send(&self, sender: &mut Sender<Bytes>, choice: Value) -> bool {
        let mut body = self.envelope(false);
        body["choices"] = json!([choice]);
        sender.send_data(format!("data: {body}\n\n").into()).await.is_ok()
    }
}
