//! The command-line tool: parses the arguments, runs the command, prints an error with its causes, and sets
//! the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    surmise::cli::render_if_asked();
    let Err(error) = surmise::cli::run(surmise::cli::parse()) else { return ExitCode::SUCCESS };
    surmise::cli::status(&format!("surmise: {}", error.chain()));
    ExitCode::from(error.exit_code())
}
