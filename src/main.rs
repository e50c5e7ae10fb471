//! The command-line tool: parse, call, print the chain of causes, set the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Err(error) = surmise::cli::run(surmise::cli::parse()) else { return ExitCode::SUCCESS };
    surmise::cli::status(&format!("surmise: {}", error.chain()));
    ExitCode::from(error.exit_code())
}
