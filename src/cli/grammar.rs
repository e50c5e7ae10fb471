//! Applies the rules for all commands: names match without regard to case, and help ends with examples.

use clap::Command;

use super::examples::examples;

/// Adds examples to the help of a command and its subcommands, and makes the values of their flags
/// case-insensitive.
pub(super) fn with_grammar(command: Command) -> Command {
    let name = command.get_name().to_owned();
    with_examples(command, &name).mut_args(|arg| {
        // This has no effect on flags whose values are not a fixed list of names.
        arg.ignore_case(true)
    })
}

fn with_examples(command: Command, path: &str) -> Command {
    let lines = examples(path);
    let after = command.get_after_help().map(ToString::to_string);
    let mut parts: Vec<String> = vec![];
    if !lines.is_empty() {
        parts.push(lines.iter().fold("Examples:".to_owned(), |text, line| format!("{text}\n  {line}")));
    }
    parts.extend(after);
    let command = if parts.is_empty() { command } else { command.after_help(parts.join("\n\n")) };
    let path = path.to_owned();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, name| {
        command.mut_subcommand(&name, |verb| {
            with_examples(verb, &format!("{path} {name}")).mut_args(|arg| arg.ignore_case(true))
        })
    })
}
