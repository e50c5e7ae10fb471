//! Tests of the server and its clients.

pub mod clients;
pub mod long_prompts;
pub mod served_scores;
pub mod served_semantic;
pub mod server;
pub mod slow;
