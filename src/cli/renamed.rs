//! Earlier spellings of verbs and flags: they are hidden aliases, and their use prints a warning.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory, Parser};

use super::status;
use super::verbs::Opts;

/// Parses the command line. Every earlier spelling that was typed prints a warning with the present one.
pub fn parse() -> Opts {
    let opts = Opts::parse();
    if !opts.quiet {
        let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
        warnings(&Opts::command(), &typed).iter().for_each(|warning| status(warning));
    }
    opts
}

/// A warning for each hidden alias of `command` and its verbs among the arguments.
fn warnings(command: &Command, typed: &[OsString]) -> Vec<String> {
    let (mut command, mut warnings) = (command, vec![]);
    for word in typed.iter().filter_map(|word| word.to_str()) {
        if word == "--" {
            break;
        }
        if let Some(flag) = word.strip_prefix("--") {
            let name = flag.split('=').next().unwrap_or_default();
            let renamed = command.get_arguments().find(|arg| has_hidden_alias(arg, name));
            if let Some(now) = renamed.and_then(Arg::get_long) {
                warnings.push(format!("`--{name}` is now `--{now}`"));
            }
        } else if let Some(verb) = command.find_subcommand(word) {
            let is_hidden = verb.get_name() != word && verb.get_visible_aliases().all(|alias| alias != word);
            if is_hidden {
                warnings.push(format!("`{word}` is now `{}`", verb.get_name()));
            }
            command = verb;
        }
    }
    warnings
}

fn has_hidden_alias(arg: &Arg, name: &str) -> bool {
    let all = arg.get_all_aliases().unwrap_or_default();
    let visible = arg.get_visible_aliases().unwrap_or_default();
    all.contains(&name) && !visible.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(typed: &[&str]) -> Vec<String> {
        let typed: Vec<OsString> = typed.iter().map(Into::into).collect();
        warnings(&Opts::command(), &typed)
    }

    #[test]
    fn earlier_spellings_are_named_with_the_present_ones() {
        assert_eq!(warned(&["line"]), ["`line` is now `demo`"]);
        assert_eq!(warned(&["observations", "--setting", "0.2"]), ["`--setting` is now `--noise-scale`"]);
        assert_eq!(
            warned(&["collect", "t", "--patience-s=20"]),
            ["`--patience-s` is now `--idle-timeout-s`"]
        );
        assert!(warned(&["observations", "--noise-scale", "0.2"]).is_empty());
        assert!(warned(&["demo"]).is_empty());
        // Values and arguments after `--` are not flags.
        assert!(warned(&["mi", "--x", "line", "--", "--setting"]).is_empty());
    }
}
