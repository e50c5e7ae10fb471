//! Serves local checkpoints with an OpenAI-compatible API. A client uses a checkpoint like a closed model,
//! and surmise can also measure the checkpoint itself.
//!
//! `http` defines the routes, `request` and `answer` the JSON formats. `running` handles a request until it
//! is answered. `engine` decodes: each model has its own threads, which decode many sequences at once and
//! cache keys and values.

mod answer;
mod answered;
mod background;
mod body;
mod engine;
mod http;
mod in_process;
mod listen;
mod origin;
mod prepare;
mod request;
mod running;
mod sampling;
mod sequence;
mod served_model;
mod server;
mod settings;
mod stalled;
mod text;
mod traffic;

pub use self::background::Background;
pub(crate) use self::http::stop_signal;
pub use self::in_process::LocalServer;
pub(crate) use self::listen::listen;
pub use self::server::serve;
pub use self::settings::ServerSettings;
