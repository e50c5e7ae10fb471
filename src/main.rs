//! The command-line tool: parse, call, print the chain of causes, set the exit code.

use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = surmise::cli::run(surmise::cli::parse()) else { return ExitCode::SUCCESS };
    let mut message = format!("surmise: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        message.push_str(&format!("\n  because: {source}"));
        cause = source.source();
    }
    surmise::cli::status(&message);
    ExitCode::from(surmise::cli::exit_code(&error))
}
