//! Local checkpoints behind an OpenAI-compatible API: what a client of a closed model can do, it can do here,
//! on a model that can be opened afterwards.
//!
//! `http` speaks the protocol, `request` and `answer` are its shapes, `running` is what lies between them,
//! `engine` computes: each model has its own threads, which decode many sequences at once and keep their keys
//! and values.

mod answer;
mod background;
mod chat;
mod engine;
mod http;
mod request;
mod running;
mod sequence;
mod text;

use std::future::Future;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use self::background::Background;
use self::chat::Template;
use self::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Model, Tokenizer};

/// How models are served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address to listen on; loopback unless somebody decides otherwise.
    pub host: IpAddr,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Sequences of one model that are decoded at once.
    pub max_concurrent: usize,
    /// Sequences of one model that may wait for their turn; further ones are sent away with status 503.
    pub max_waiting: usize,
    /// Longest time one request may take.
    pub timeout: Duration,
    /// What a client must send as `Authorization: Bearer KEY`, if anything.
    pub key: Option<String>,
    /// Seed of requests that give none.
    pub seed: u64,
}

/// A model that is served.
struct Served {
    id: String,
    max_positions: usize,
    vocab_size: usize,
    template: Template,
    /// What reads the prompts that the template makes.
    chat_tokenizer: Tokenizer,
    engine: Engine,
}

/// Serves `models` until the process is told to stop (interrupt or termination); `ready` is given the base
/// URL once requests are taken. Requests that run then are finished, for at most the time of one request.
///
/// # Errors
/// [`Error::Serve`] if the address cannot be listened on.
pub fn serve(models: Vec<Model>, settings: &Settings, ready: impl FnOnce(&str)) -> Result<()> {
    run(models, settings, |url| ready(url), http::told_to_stop)
}

/// Serves until `stop` says so for the first time; `ready` is given the base URL once requests are taken.
fn run<F: Future<Output = ()> + Send + 'static>(
    models: Vec<Model>,
    settings: &Settings,
    ready: impl FnOnce(&str),
    stop: impl Fn() -> F + Send + 'static,
) -> Result<()> {
    let served = models
        .into_iter()
        .map(|model| {
            let template = Template::of(Path::new(&model.folder))?;
            Ok(Arc::new(Served {
                id: model.card.id.clone(),
                max_positions: model.decoder.spec().max_positions,
                vocab_size: model.card.vocab_size,
                chat_tokenizer: match template.is_there() {
                    true => model.tokenizer.heeding_special_tokens(),
                    false => model.tokenizer.clone(),
                },
                template,
                engine: Engine::start(model, settings)?,
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let address = std::net::SocketAddr::new(settings.host, settings.port);
    let fault = |source: std::io::Error| Error::Serve { address: address.to_string(), source };
    runtime.map_err(fault)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.map_err(fault)?;
        let bound = listener.local_addr().map_err(fault)?;
        ready(&format!("http://{bound}/v1"));
        http::run(listener, served, settings.clone(), stop).await.map_err(fault)
    })
}
