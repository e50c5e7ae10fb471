//! Assigns the references of `references.bib` to estimators and candidates.

use std::collections::BTreeSet;

use super::citation::Citation;

/// The references as BibTeX, sorted by key.
const REFERENCES: &str = include_str!("references.bib");

/// The key of the reference to surmise itself.
pub const TOOL: &str = "surmise";
/// The key of the paper that defines the measured quantity.
pub const PAPER: &str = "chen2025quantifying";

/// References of the estimators of mutual information, by name.
const ESTIMATORS: [(&str, &[&str]); 11] = [
    ("channel", &["goldfeld2019estimating", "poole2019variational", "kolchinsky2017estimating"]),
    ("hybrid", &["demarta2005copula", "kraskov2004estimating"]),
    ("ensemble", &["oord2018representation", "akaike1973information", "vanderlaan2007super"]),
    ("t-copula", &["demarta2005copula", "kotz2004multivariate"]),
    ("gaussian", &["anderson2003introduction"]),
    ("cca-ksg", &["hotelling1936relations", "kraskov2004estimating"]),
    ("ksg", &["kraskov2004estimating", "holmes2019estimation"]),
    ("plugin", &["miller1955note", "efron1993introduction", "hausser2009entropy"]),
    ("dv", &["donsker1983asymptotic", "belghazi2018mutual"]),
    ("infonce", &["oord2018representation", "poole2019variational"]),
    ("mine-paper", &["chen2025quantifying", "belghazi2018mutual"]),
];

/// References of the candidates of a calibration, by prefix of their names. The first matching prefix
/// applies. Candidates that are means or lines need no reference.
const CANDIDATES: [(&str, &[&str]); 12] = [
    ("mean", &[]),
    ("size", &[]),
    ("gain", &[]),
    ("ridge", &["hoerl1970ridge"]),
    ("pcr", &["massy1965principal"]),
    ("sigmoid", &["ruan2024observational"]),
    ("elastic_net", &["zou2005regularization"]),
    ("completion", &["rubin1982em"]),
    ("chain", &["bhagia2024establishing", "gadre2024language"]),
    ("gp", &["rasmussen2006gaussian"]),
    ("forest", &["geurts2006extremely"]),
    ("blend", &["breiman1996stacked"]),
];

/// All references, sorted by key.
pub fn all() -> Vec<Citation> {
    let text = REFERENCES.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    text.split("\n\n").map(|entry| Citation::new(entry.trim_end())).collect()
}

/// The references with these keys, without duplicates, sorted.
///
/// # Panics
/// If a key has no reference.
pub fn with_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<Citation> {
    let mut all = all();
    let keys: BTreeSet<&str> = keys.into_iter().collect();
    for key in &keys {
        assert!(all.iter().any(|citation| citation.key == *key), "no reference `{key}`");
    }
    all.retain(|citation| keys.contains(citation.key.as_str()));
    all
}

/// The keys of the references of an estimator of mutual information; `None` for an unknown name.
pub fn of_estimator(name: &str) -> Option<&'static [&'static str]> {
    ESTIMATORS.iter().find(|(own, _)| *own == name).map(|(_, keys)| *keys)
}

/// The keys of the references of a candidate of a calibration; `None` for an unknown name.
pub fn of_candidate(name: &str) -> Option<&'static [&'static str]> {
    CANDIDATES.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, keys)| *keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::candidates::registry as candidates;
    use crate::mi;

    #[test]
    fn every_estimator_and_candidate_has_its_references() {
        for estimator in mi::ALL {
            let keys = of_estimator(estimator.name()).unwrap_or_else(|| panic!("{}", estimator.name()));
            // `surmise list estimators` names the same authors, but omits the author of the standard error of
            // `ksg`.
            for citation in with_keys(keys.iter().copied()) {
                let author = citation.field("author").and_then(|authors| authors.split(',').next());
                let author = author.expect("an author");
                let reference = estimator.about().reference;
                let is_named = reference.contains(author) || citation.key == "holmes2019estimation";
                assert!(is_named, "{}: {author} is not in {reference}", estimator.name());
            }
        }
        for candidate in candidates::ALL {
            let keys = of_candidate(candidate.name()).unwrap_or_else(|| panic!("{}", candidate.name()));
            assert_eq!(with_keys(keys.iter().copied()).len(), keys.len());
        }
        assert!(of_estimator("ksgg").is_none() && of_candidate("oracle").is_none());
    }

    #[test]
    fn references_are_sorted_and_whole() {
        let all = all();
        assert!(all.is_sorted_by(|a, b| a.key < b.key) && all.len() > 30);
        for citation in &all {
            let field = |name: &str| citation.field(name).unwrap_or_else(|| panic!("{citation:?}: {name}"));
            assert!(!field("title").is_empty() && field("author").is_ascii());
            assert!(citation.key == TOOL || citation.key.contains(field("year")), "{}", citation.key);
            assert_eq!(citation.bibtex.matches('{').count(), citation.bibtex.matches('}').count());
        }
        let short = |key: &str| with_keys([key]).remove(0).short();
        assert_eq!(short("miller1955note"), "Miller 1955");
        assert_eq!(short("demarta2005copula"), "Demarta and McNeil 2005");
        assert_eq!(short("oord2018representation"), "van den Oord et al. 2018");
        assert_eq!(short("surmise"), "The authors of surmise 2026");
    }
}
