//! Providers, the client under faults, grading, and imports.

pub mod adapting;
pub mod answers_of_today;
pub mod before_asking;
pub mod faults;
pub mod faults_answers;
pub mod faults_folder;
pub mod faults_keys;
pub mod faults_limits;
pub mod faults_transport;
pub mod first_answers;
pub mod grading;
pub mod import;
pub mod money;
pub mod panics;
pub mod providers;
pub mod refused_probe;
pub mod results;
pub mod semantic;
pub mod short_answers;
pub mod silence;
pub mod slow;
pub mod streams;
pub mod tasks;
pub mod wire;
pub mod wire_scores;
pub mod wordings;
