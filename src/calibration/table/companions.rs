//! Finds companion columns: the standard error of another column, or the ends of its interval. Companions of
//! the target reveal the target, so they cannot be features.

/// Words that mark a companion anywhere in its name.
const ANYWHERE: [&str; 3] = ["stderr", "stddev", "stdev"];
/// Words that mark a companion at the end of its name.
const LAST: [&str; 14] =
    ["se", "std", "low", "high", "lower", "upper", "ci", "ci90", "ci95", "ci99", "moe", "p95", "q05", "q95"];
/// Words that mark a companion at the end of its name, if the rest of the name is the name of another column.
const LAST_OF_ANOTHER: [&str; 6] = ["sd", "sem", "lb", "ub", "variance", "p5"];
/// Words that mean a standard error.
const STANDARD_ERROR: [&str; 3] = ["stderr", "se", "sem"];
/// Words that may follow a companion word (such as `stderr`) in a name: a unit, and the filter of an
/// evaluation harness.
const BEHIND: [&str; 2] = ["nats", "none"];

/// The words of a name, in lower case.
pub(super) fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// A companion of another column.
struct Companion {
    /// The words of the other column's name, without unit and filter. Empty if the name consists only of a
    /// companion word, such as `stderr`.
    of: Vec<String>,
    is_standard_error: bool,
    /// Whether the column is a companion only if the other column exists.
    needs_other: bool,
}

fn without_behind(mut words: Vec<String>) -> Vec<String> {
    while words.last().is_some_and(|last| BEHIND.contains(&last.as_str())) {
        words.pop();
    }
    words
}

fn companion(name: &str) -> Option<Companion> {
    let mut words = words(name);
    if name.contains('±') {
        return Some(Companion { of: without_behind(words), is_standard_error: true, needs_other: false });
    }
    if let Some(at) = words.iter().position(|word| ANYWHERE.contains(&word.as_str())) {
        let is_standard_error = words.remove(at) == "stderr";
        return Some(Companion { of: without_behind(words), is_standard_error, needs_other: false });
    }
    words = without_behind(words);
    let ends_in = |words: &[String], end: &[&str]| {
        words.ends_with(&end.iter().map(|w| (*w).into()).collect::<Vec<String>>())
    };
    for end in [["standard", "error"], ["std", "error"], ["std", "err"]] {
        if ends_in(&words, &end) {
            words.truncate(words.len() - 2);
            return Some(Companion { of: words, is_standard_error: true, needs_other: false });
        }
    }
    for end in [
        ["ci", "lo"],
        ["ci", "hi"],
        ["ci", "low"],
        ["ci", "high"],
        ["ci", "lower"],
        ["ci", "upper"],
        ["ci", "95"],
        ["ci", "90"],
        ["95", "ci"],
    ] {
        if ends_in(&words, &end) {
            words.truncate(words.len() - 2);
            return Some(Companion { of: words, is_standard_error: false, needs_other: false });
        }
    }
    let last = words.pop()?;
    let needs_other = LAST_OF_ANOTHER.contains(&last.as_str());
    (needs_other || LAST.contains(&last.as_str())).then(|| Companion {
        of: words,
        is_standard_error: STANDARD_ERROR.contains(&last.as_str()),
        needs_other,
    })
}

/// Whether a column is a companion of a column of the table. `columns` are the names of all columns.
pub(super) fn is_companion(name: &str, columns: &[String]) -> bool {
    let other = |of: &[String]| columns.iter().any(|column| without_behind(words(column)) == of);
    companion(name).is_some_and(|found| !found.needs_other || other(&found.of))
}

/// Whether a column is a companion of the target: its name is the target's name with a companion word, or
/// only a companion word such as `stderr`.
pub(super) fn is_of_target(name: &str, target: &str) -> bool {
    let target = without_behind(words(target));
    companion(name).is_some_and(|found| found.of == target || (found.of.is_empty() && !found.needs_other))
}

/// Whether a column's name marks it as the standard error of the target.
pub(super) fn is_standard_error_of(name: &str, target: &str) -> bool {
    let target = without_behind(words(target));
    companion(name).is_some_and(|found| found.is_standard_error && found.of == target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_errors_and_interval_ends_are_told_by_their_names() {
        let all: Vec<String> = ["gsm", "mmlu", "mmlu_hi"].map(Into::into).to_vec();
        for name in [
            "gsm.stderr",
            "gsm_stderr",
            "gsm_se",
            "gsm stderr",
            "gsm_ci_low",
            "gsm_lower",
            "gsm-upper",
            "gsm_ci95",
            "gsm_std",
            "gsm (standard error)",
            "gsm ±",
            "gsm_sd",
            "gsm_ci_hi",
            "stderr",
            "se",
            "gsm_stderr_nats",
        ] {
            assert!(is_companion(name, &all) && is_of_target(name, "gsm"), "{name}");
        }
        assert!(is_companion("acc_stderr,none", &all) && is_of_target("acc_stderr,none", "acc,none"));
        assert!(is_standard_error_of("exact_match_stderr,strict-match", "exact_match,strict-match"));
        assert!(
            is_standard_error_of("gsm_stderr_nats", "gsm_nats") && !is_standard_error_of("gsm_low", "gsm")
        );
        for name in ["mmlu_hi", "belebele_sd", "gsm", "base", "slow", "flow_rate", "error_rate"] {
            assert!(!is_companion(name, &all), "{name}");
        }
        assert!(!is_of_target("mmlu_stderr", "gsm"));
    }
}
