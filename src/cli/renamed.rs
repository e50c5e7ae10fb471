//! Supports earlier names of commands and flags: they stay hidden, work as before, and print a warning.
//!
//! A renamed command or flag is a hidden alias. A flag that became an argument or lost its effect is a hidden
//! flag; its help begins with [`NOW`] and names the replacement.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use super::grammar::with_grammar;
use super::status;
use super::usage_error::improved;
use super::verbs::Opts;
use crate::terminal;

/// Prefix of the help of a hidden flag that has been replaced.
const NOW: &str = "Now ";

/// Parses the command line. Each earlier name that was typed prints a warning with the current name.
pub fn parse() -> Opts {
    let mut command = with_grammar(Opts::command());
    let mut matches =
        command.try_get_matches_from_mut(std::env::args_os()).unwrap_or_else(|error| leave(&improved(error)));
    let opts =
        Opts::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| leave(&error.format(&mut command)));
    if !opts.quiet {
        let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
        warnings(&command, &typed).iter().for_each(|warning| status(&format!("warning: {warning}")));
    }
    opts
}

/// Prints help, the version or a usage error, and exits. A usage error may quote typed text, and colours
/// could not be distinguished from escape sequences in this text, so errors have no colours.
fn leave(error: &clap::Error) -> ! {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        error.exit()
    }
    terminal::say(error.render().to_string().trim_end());
    std::process::exit(error.exit_code())
}

/// One warning for each earlier name among the arguments of `command` and its subcommands.
fn warnings(command: &Command, typed: &[OsString]) -> Vec<String> {
    let (mut command, mut warnings) = (command, vec![]);
    for word in typed.iter().filter_map(|word| word.to_str()) {
        if word == "--" {
            break;
        }
        let warning = if let Some(flag) = word.strip_prefix("--") {
            let name = flag.split('=').next().unwrap_or_default();
            command.get_arguments().find_map(|arg| of_long(arg, name))
        } else if let Some(short) = word.strip_prefix('-').and_then(|flag| flag.chars().next()) {
            let typed = |arg: &&Arg| arg.get_short() == Some(short);
            command
                .get_arguments()
                .find(typed)
                .and_then(|arg| Some(format!("`-{short}` is now {}", now(arg)?)))
        } else if let Some(verb) = command.find_subcommand(word) {
            let is_hidden = verb.get_name() != word && verb.get_visible_aliases().all(|alias| alias != word);
            command = verb;
            is_hidden.then(|| format!("`{word}` is now `{}`", verb.get_name()))
        } else {
            None
        };
        warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
    }
    warnings
}

/// The warning for a flag typed as `--name`, if `name` is an earlier name of `arg`.
fn of_long(arg: &Arg, name: &str) -> Option<String> {
    if has_hidden_alias(arg, name) {
        return arg.get_long().map(|now| format!("`--{name}` is now `--{now}`"));
    }
    let is_typed = arg.get_long() == Some(name);
    is_typed.then(|| now(arg)).flatten().map(|now| format!("`--{name}` is now {now}"))
}

/// The replacement of a hidden flag, if it has one.
fn now(arg: &Arg) -> Option<String> {
    let help = arg.get_help().filter(|_| arg.is_hide_set())?.to_string();
    help.strip_prefix(NOW).map(Into::into)
}

fn has_hidden_alias(arg: &Arg, name: &str) -> bool {
    let all = arg.get_all_aliases().unwrap_or_default();
    let visible = arg.get_visible_aliases().unwrap_or_default();
    all.contains(&name) && !visible.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::examples::examples;

    fn warned(typed: &[&str]) -> Vec<String> {
        let typed: Vec<OsString> = typed.iter().map(Into::into).collect();
        warnings(&Opts::command(), &typed)
    }

    #[test]
    fn earlier_spellings_are_named_with_the_present_ones() {
        assert_eq!(warned(&["line"]), ["`line` is now `demo`"]);
        assert_eq!(warned(&["observations", "--setting", "0.2"]), ["`--setting` is now `--noise-scale`"]);
        assert_eq!(
            warned(&["collect", "t", "--patience-s=20", "--model", "m", "--model", "m"]),
            ["`--patience-s` is now `--idle-timeout-s`", "`--model` is now `--api-model`"]
        );
        assert!(warned(&["observations", "--noise-scale", "0.2"]).is_empty());
        assert!(warned(&["demo"]).is_empty());
        // Values and arguments after `--` are not flags.
        assert!(warned(&["mi", "--x", "line", "--", "--setting"]).is_empty());
    }

    #[test]
    fn flags_that_became_arguments_are_named_with_the_argument() {
        for verb in ["calibrate", "predict"] {
            let warnings = warned(&[verb, "--observations", "t.csv"]);
            assert_eq!(warnings, ["`--observations` is now TABLE, without a flag"], "{verb}");
        }
        assert_eq!(warned(&["collect", "rescore", "-o", "d"]), ["`-o` is now DIR, without a flag"]);
        assert_eq!(warned(&["collect", "repair", "--output=d"]), ["`--output` is now DIR, without a flag"]);
        // `-o` is still a flag of other commands, and `--entities` is the present name.
        assert!(warned(&["collect", "t", "-o", "d"]).is_empty());
        assert!(warned(&["demo", "--entities", "2"]).is_empty());
        assert_eq!(warned(&["demo", "--shots", "2"]), ["`--shots` is now `--entities`"]);
    }

    #[test]
    fn every_verb_has_examples_that_parse() {
        let command = with_grammar(Opts::command());
        let mut verbs = vec![("surmise".to_owned(), &command)];
        while let Some((path, verb)) = verbs.pop() {
            let lines = examples(&path);
            assert!(!lines.is_empty(), "{path} has no examples");
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(lines[0]), "{path}: {help}");
            for line in lines {
                let words = line.split(" > ").next().unwrap_or_default().split_whitespace();
                let parsed = with_grammar(Opts::command()).try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("a refusal"));
                assert!(warned(&line.split_whitespace().skip(1).collect::<Vec<_>>()).is_empty(), "{line}");
            }
            let children = verb.get_subcommands().map(|verb| (format!("{path} {}", verb.get_name()), verb));
            verbs.extend(children);
        }
    }

    /// Splits a console command into words as a shell does. A comment or redirection ends the command.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (vec![], None::<String>, None);
        for c in line.chars() {
            match (c, quote) {
                ('\'' | '"', None) => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (c, Some(open)) if c == open => quote = None,
                (c, None) if c.is_whitespace() => words.extend(word.take()),
                (c, _) => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        let end =
            words.iter().position(|word| ["#", "|", ">", "&", ";"].iter().any(|end| word.starts_with(end)));
        words.truncate(end.unwrap_or(words.len()));
        words
    }

    #[test]
    fn every_command_of_the_documents_parses_and_is_in_the_present_spelling() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs =
            std::fs::read_dir(root.join("docs")).expect("docs").map(|entry| entry.expect("a file").path());
        let mut n = 0;
        for file in docs.filter(|path| path.is_file()).chain([root.join("README.md")]) {
            let text = std::fs::read_to_string(&file).expect("a document").replace("\\\n", " ");
            for line in text.lines().filter(|line| line.starts_with("$ surmise ")) {
                let words = words(&line[2..]);
                let parsed = with_grammar(Opts::command()).try_get_matches_from(&words);
                let file = file.display();
                assert!(parsed.is_ok(), "{file}: {line}: {}", parsed.expect_err("a refusal"));
                let typed: Vec<&str> = words[1..].iter().map(String::as_str).collect();
                assert!(warned(&typed).is_empty(), "{file}: {line}");
                n += 1;
            }
        }
        assert!(n > 20, "only {n} commands were found");
    }

    /// `scripts/results` reproduces the numbers in the documents.
    #[cfg(unix)]
    #[test]
    fn every_command_that_makes_the_results_again_parses_and_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = |arguments: &[&str]| {
            let mut command = std::process::Command::new("sh");
            let command = command.arg(root.join("scripts/results")).args(arguments).env("SAMPLES", "samples");
            let output = command.env_remove("SURMISE").env_remove("PYTHON").output().expect("sh");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("UTF-8")
        };
        let list = script(&["--list"]);
        let parts: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(parts.len() > 10, "{list}");
        for line in script(&[&["--dry-run"], parts.as_slice()].concat()).lines() {
            let words = words(line);
            let after = |flag: &str| {
                let at = words.iter().position(|word| word == flag)?;
                words.get(at + 1).map(String::as_str)
            };
            match words[0].as_str() {
                "surmise" => {
                    let parsed = with_grammar(Opts::command()).try_get_matches_from(&words);
                    assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("a refusal"));
                    let typed: Vec<&str> = words[1..].iter().map(String::as_str).collect();
                    assert!(warned(&typed).is_empty(), "{line}");
                }
                "cargo" => {
                    let (folder, name) = match after("--example") {
                        Some(name) => ("examples", name),
                        None => ("benches", after("--bench").unwrap_or_default()),
                    };
                    let places = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
                    assert!(places.iter().any(|place| root.join(place).is_file()), "{line}");
                }
                "python3" => assert!(root.join(&words[1]).is_file(), "{line}"),
                "printf" => {}
                program => assert!(root.join(program).is_file(), "{line}"),
            }
        }
    }
}
