//! Local checkpoints behind an OpenAI-compatible API: a client can do here what it can do with a closed
//! model, and the model can be opened afterwards.
//!
//! `http` has the routes, `request` and `answer` the JSON shapes, `running` follows a request from one to the
//! other, `engine` computes: each model has its own threads, which decode many sequences at once and cache
//! their keys and values.

mod answer;
mod background;
mod chat;
mod engine;
mod http;
mod request;
mod running;
mod sampling;
mod sequence;
mod served_model;
mod server;
mod settings;
mod text;

pub use self::background::Background;
pub use self::server::serve;
pub use self::settings::ServerSettings;
