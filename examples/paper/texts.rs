//! (e) Compares texts of people and of a model, as read by a model. With the semantic estimand, compares
//! lists of facts with lists of a model's answers.

use surmise::corpus::category::DEFAULT;
use surmise::corpus::texts::Columns;
use surmise::corpus::{Category, DesignSettings, Texts};
use surmise::disk;
use surmise::emergence::compare::{ALPHA, Comparison, Permutations, compare};
use surmise::emergence::semantic::SemanticSettings;
use surmise::{Error, Result};

use super::answers::stated;
use super::designs::{self, above, how, measured, with_examples};
use super::position::{measure_texts, window_settings};
use super::{Run, SEED, Verdict, facts, report_profiles, settings};

/// Number of texts of each kind, if no texts are given.
const TEXTS: usize = 300;

/// Number of examples in a list.
const EXAMPLES: usize = 4;

/// The share of a reader on lists of facts, and on lists of a model's answers.
pub fn semantic(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("texts")?;
    let readers = run.readers();
    let (Some(reader), Some(writer)) = (readers.first(), readers.last()) else { return Ok(vec![]) };
    let (reader, writer) = (run.load(reader)?, run.load(writer)?);
    let (how, settings) =
        (DesignSettings { shots: vec![EXAMPLES], ..how() }, SemanticSettings::new(SEED, None));
    let (mut profiles, mut differ, mut n, mut shown) = (vec![], 0, 0, vec![]);
    for name in DEFAULT {
        let facts = Category::load(name)?;
        let (answers, right) = stated(&facts, &writer, &folder.join(format!("{name}-stated.csv")))?;
        let both = [&facts, &answers].map(|of| measured(run, &reader, of, &how, &settings));
        let [facts, answers] = match both {
            [Ok(facts), Ok(answers)] => [facts, answers],
            // If a model gives the same answers for two relations, no pair of relations remains to be
            // measured.
            [_, Err(Error::Corpus { reason, .. })] => {
                shown.push(format!("{name} cannot be decided: {reason}"));
                continue;
            }
            [facts, answers] => [facts?, answers?],
        };
        let share = |profile| with_examples(profile).first().and_then(|summary| summary.share_mean);
        let Some((of_facts, of_answers)) = share(&facts).zip(share(&answers)) else { continue };
        n += 1;
        differ += usize::from(above(of_answers, of_facts).abs() > designs::BEYOND);
        shown.push(format!(
            "{name} {:.2} and {:.2} ({:.0} % of the answers equal the facts)",
            of_facts.value,
            of_answers.value,
            100.0 * right
        ));
        profiles.extend([facts, answers]);
    }
    designs::write_summaries(&profiles, &folder.join("semantic.csv"))?;
    let numbers = format!(
        "{} reads lists of {EXAMPLES} facts and lists of the answers of {}; the share differs by more than \
         {} standard errors in {differ} of {n} categories: {}",
        reader.info.id,
        writer.info.id,
        designs::BEYOND,
        shown.join(", ")
    );
    Ok(vec![Verdict { shown: n > 0 && differ == n, numbers }])
}

pub fn positional(run: &Run) -> Result<Vec<Verdict>> {
    let folder = run.folder("texts")?;
    // One model reads the texts of another, unless there is only one model.
    let readers = run.readers();
    let (Some(reader), Some(writer)) = (readers.first(), readers.last()) else { return Ok(vec![]) };
    let file = match &run.opts.texts {
        Some(file) => file.clone(),
        None => facts::against_generated(&folder.join("written.csv"), &run.load(writer)?, TEXTS)?,
    };
    let groups = Texts::read(&file, &Columns::default())?;
    report_profiles(&measure_texts(run, reader, &groups)?, "shots", &folder)?;
    let how = Permutations { permutations: 199, reference: None, step: &|_| {} };
    let rows = compare(&run.load(reader)?, &groups, &window_settings(run), &settings(), &how)?;
    let file = folder.join("comparisons.csv");
    disk::write(&file, &disk::csv_bytes(&file, &rows)?)?;
    let pairs = rows.chunk_by(|x, y| (&x.group_a, &x.group_b) == (&y.group_a, &y.group_b));
    Ok(pairs.map(verdict).collect())
}

fn verdict(pair: &[Comparison]) -> Verdict {
    let values = pair.iter().map(|row| {
        let quantity = row.quantity.replace('_', " ");
        format!(
            "{quantity} {:.2} against {:.2} nats (d = {}, p = {:.3})",
            row.a_nats,
            row.b_nats,
            row.effect_size.map_or("unknown".into(), |d| format!("{d:.2}")),
            row.p_value
        )
    });
    let values: Vec<String> = values.collect();
    let of = &pair[0];
    let numbers = format!(
        "{} reads {} and {}: {}; {}",
        of.model,
        of.group_a,
        of.group_b,
        values.join("; "),
        of.verdict.sentence()
    );
    // The finding is shown only if both differences are significant: in the raw value, and after the shuffled
    // control is subtracted. The tokens alone cannot explain the second difference, because the control has
    // the same tokens.
    Verdict { shown: pair.iter().all(|row| row.p_holm <= ALPHA), numbers }
}
