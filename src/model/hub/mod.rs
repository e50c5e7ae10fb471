//! Downloads models from a Hugging Face hub. A model is named `owner/name` or `owner/name@revision`. Its
//! files go to the cache that surmise shares with the Python tools of Hugging Face, and other modules read
//! them there.
//!
//! The environment variables `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HOME`, `HF_HUB_CACHE`,
//! `HF_HUB_OFFLINE`, `HF_HUB_DOWNLOAD_TIMEOUT`, and the older `HUGGINGFACE_HUB_CACHE`,
//! `HUGGING_FACE_HUB_TOKEN` and `TRANSFORMERS_OFFLINE` have the same meaning as in the Python tools. A build
//! without the feature `hub` reads the cache and downloads nothing.
//!
//! # References
//! The routes and the layout of the cache follow `huggingface_hub` (`hf_hub_download`).

mod cache;
#[cfg(feature = "hub")]
mod cache_writes;
#[cfg(feature = "hub")]
mod cached_headers;
#[cfg(feature = "hub")]
mod connection;
#[cfg(feature = "hub")]
mod download;
#[cfg(feature = "hub")]
mod fault;
#[cfg(feature = "hub")]
mod fetch;
#[cfg(feature = "hub")]
mod header;
mod id;
#[cfg(feature = "hub")]
mod latest;
mod layout;
mod lookup;
#[cfg(feature = "hub")]
mod request;
mod required_files;
#[cfg(feature = "hub")]
mod retry;
mod settings;

pub use self::id::{is_file_name, is_id, is_path};
pub use self::lookup::Hub;
pub use self::required_files::RequiredFiles;
