//! Lists the flags of single cells of a profile: reasons to distrust a value.

use super::draw::curves::BAND;
use crate::emergence::ProfileRow;
use crate::emergence::semantic::SemanticRow;
use crate::mi::Flag;

/// The flags that cast doubt on a cell of a positional profile: the flags of the macro information, of the
/// micro information, and of the block.
pub(super) fn positional(row: &ProfileRow) -> Vec<String> {
    let against = |name: &&str| !Flag::ALL.iter().any(|flag| flag.is_descriptive() && flag.name() == *name);
    let of = |side: &str, flags: &str| -> Vec<String> {
        flags.split_whitespace().filter(against).map(|name| format!("{side}{}", plain(name))).collect()
    };
    [of("macro ", &row.macro_flags), of("micro ", &row.micro_flags), of("", &row.flags)].concat()
}

/// The flags of a cell of a semantic profile. A share counts as semantic information only if it exceeds
/// chance and random init by more than 1.96 standard errors.
pub(super) fn semantic(row: &SemanticRow) -> Vec<String> {
    let Some(stderr) = row.macro_share_stderr else { return vec!["no standard error".into()] };
    let mut flags = vec![];
    if row.macro_share <= BAND * stderr {
        flags.push("not above chance".into());
    }
    if let Some(random_init) = row.macro_share_random_init {
        let both = stderr.hypot(row.macro_share_random_init_stderr.unwrap_or(0.0));
        if row.macro_share - random_init <= BAND * both {
            flags.push("not above random init".into());
        }
    }
    flags
}

fn plain(name: &str) -> String {
    name.replace('_', " ")
}
