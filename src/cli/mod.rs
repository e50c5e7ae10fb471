//! The command line. Each command has one file, which turns its flags into one library call. Data goes to
//! stdout, messages go to stderr.

mod blind;
mod calibrate;
mod card;
mod choice;
mod cite;
mod collect;
mod column_lists;
mod compare;
mod completions;
mod demo;
mod estimator;
mod examples;
mod flags;
mod grammar;
mod list;
mod man;
mod measure;
mod methods;
mod mi;
mod model;
mod observations;
mod output;
mod predict;
mod progress;
mod renamed;
mod renderer;
mod report;
mod scores;
mod serve;
mod states;
mod study;
mod table_input;
mod table_output;
mod texts;
mod verbs;
mod view;
mod watch;

use self::flags::{ConfigFlags, ENTITIES, Fetching, Opening, SHOTS, Sampling, SeriesFlags};
pub use self::output::status;
use self::output::{SECRETS, config_notes, print};
use self::progress::Progress;
pub use self::renamed::parse;
pub use self::renderer::render_if_asked;
use self::table_output::{TableBytes, TableFlags, is_stdout, put};
pub use self::verbs::{Opts, run};
