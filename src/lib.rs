//! surmise estimates how strongly emergence shows in a closed language model. It uses measurements inside
//! small open models and the closed model's answers to prompts.
//!
//! Data flows in one direction, and every step can be used alone:
//!
//! ```text
//! text ─► tokens ─► residual streams ─► mutual information ─► profile ─┐
//! corpus    model                              mi           emergence │
//!                                                                     ├─► observations ─► calibration
//! in-context task ─► answers ─► scores ───────────────────────────────┘        ─► prediction ─► report
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`corpus`] | prepares the inputs of models: categories of entities, series, factorial designs, texts |
//! | [`model`] | opens checkpoints (safetensors, PyTorch, GGUF) and computes residual streams and logits |
//! | [`mi`] | estimates mutual information from paired rows, in nats |
//! | [`emergence`] | measures a profile: semantic or positional emergence of every block |
//! | [`provider`], [`collect`] | query a model behind an API, then grade and store its answers |
//! | [`import`] | reads the scores of other evaluation tools |
//! | [`serve`] | serves a local model with an OpenAI-compatible API |
//! | [`observations`] | joins profiles and scores into one table |
//! | [`calibration`] | fits the regression; predicts an interval, or gives the reason for a refusal |
//! | [`study`] | runs studies, the bundled study and the blind test |
//! | [`report`] | makes tables, figures, and a page of all results |
//! | [`dictionary`] | describes every column and member of the output files |
//! | [`methods`], [`citations`] | write the methods paragraph of a results folder, and its citations |
//! | [`view`] | shows the page of results in a browser, and updates it |
//!
//! # Example
//!
//! Computes the positional emergence of an embedded model:
//!
//! ```
//! use surmise::corpus::{Category, Series};
//! use surmise::emergence::{MeasureSettings, measure};
//! use surmise::mi::Scale;
//! use surmise::model::Model;
//!
//! # fn main() -> surmise::Result<()> {
//! let model = Model::load("minigpt-2")?;
//! let corpus = Series::draw(&Category::load("colours")?, 2, 60, 0)?.tokenize(&model.tokenizer)?;
//! let profile = measure(&model, &corpus, &MeasureSettings::by_name("channel", Scale::Spread, 0)?)?;
//! for reading in &profile.blocks {
//!     println!("block {}: {:.3} nats", reading.block, reading.emergence_nats);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The command-line tool has a command for each step; `docs/commands.md` lists them.
#![deny(unsafe_code)]

pub mod arrays;
pub mod calibration;
pub mod citations;
pub mod cli;
pub mod collect;
pub mod corpus;
pub mod dictionary;
pub mod disk;
pub mod emergence;
pub mod error;
pub mod export;
mod finite;
mod guard;
pub mod import;
mod machine;
pub mod methods;
pub mod mi;
pub mod model;
pub mod names;
pub mod numeric;
pub mod observations;
pub mod provider;
pub mod report;
pub mod seed;
pub mod serve;
pub mod study;
mod terminal;
pub mod view;

pub use error::{Error, Result};

/// Runs the example in `docs/library.md` as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct LibraryPage;

/// Tests that need Python or real models do not run by default. Run them with
///
/// ```ignore
/// // pip install openai lm-eval, then
/// // SURMISE_PYTHON=python cargo test --release --test it clients:: -- --ignored
/// // sh scripts/real-models FOLDER, then
/// // SURMISE_REAL_MODELS=FOLDER cargo test --release --test it real_models -- --ignored
/// ```
#[cfg(doctest)]
struct TestsThatNeedPythonOrRealModels;
