//! Reports the mean share over blocks for each model, corpus and number of examples, with the output share,
//! the controls, micro information and emergence.

use super::super::content::numbered;
use super::super::draw::curves::{BAND, Curves, Point};
use super::super::{Figure, ReportContent, Table};
use super::read::SemanticTables;
use super::reliability::reliability;
use crate::emergence::semantic::{SemanticRow, SummaryRow};
use crate::error::Result;
use crate::numeric::statistics;

/// Makes the report.
pub(in crate::report) fn shots(tables: &SemanticTables) -> Result<ReportContent> {
    let mut table = Table::new(&[
        "model",
        "corpus",
        "shots",
        "accuracy",
        "output_share",
        "share_mean",
        "share_mean_stderr",
        "share_half",
        "share_last",
        "onset",
        "random_init_share",
        "no_shared_answer_share",
        "micro_nats",
        "micro_stderr_nats",
        "emergence_nats",
        "emergence_stderr_nats",
    ]);
    for corpus in tables.corpora() {
        for model in tables.models() {
            for row in of(tables, model, corpus) {
                let blocks = tables.blocks(model, corpus, row.shots);
                table.rows.push(vec![
                    model.into(),
                    corpus.into(),
                    row.shots.into(),
                    row.accuracy.into(),
                    row.output_share.into(),
                    row.share_mean.into(),
                    row.share_mean_stderr.into(),
                    row.share_half.into(),
                    row.share_last.into(),
                    row.onset.into(),
                    row.share_mean_random_init.into(),
                    after_first(&blocks, |row| row.macro_share_no_shared_answer).into(),
                    row.micro_nats_mean.into(),
                    row.micro_nats_mean_stderr.into(),
                    row.emergence_nats_mean.into(),
                    row.emergence_nats_mean_stderr.into(),
                ]);
            }
        }
    }
    let share = |row: &SummaryRow| {
        let half = BAND * row.share_mean_stderr.unwrap_or(0.0);
        Some(Point { x: row.shots as f64, y: row.share_mean?, half, beside: row.share_mean_random_init })
    };
    let accuracy = |row: &SummaryRow| {
        let half = BAND * row.accuracy_stderr.unwrap_or(0.0);
        Some(Point { x: row.shots as f64, y: row.accuracy?, half, beside: None })
    };
    let dashed = tables.has_random_init().then_some("random init");
    let mut drawn = numbered("", figures(tables, "share, mean over blocks", dashed, &share)?);
    drawn.extend(numbered("-accuracy", figures(tables, "accuracy of the first token", None, &accuracy)?));
    let caption = format!(
        "Share of semantic information at {}, averaged over blocks from the second on, by number of \
         examples; bands are 95 % intervals (1.96 standard errors over queries and example sets). Micro and \
         emergence are in nats and are comparable only at equal S.{}",
        tables.design(),
        reliability(tables)
    );
    Ok(ReportContent { table, figures: drawn, caption, latex: None })
}

/// The summaries of a model on a corpus, sorted by number of shots.
fn of<'a>(tables: &'a SemanticTables, model: &str, corpus: &str) -> Vec<&'a SummaryRow> {
    let is_wanted = |row: &&SummaryRow| row.model == model && row.corpus == corpus;
    let mut rows: Vec<&SummaryRow> = tables.summaries.iter().filter(is_wanted).collect();
    rows.sort_by_key(|row| row.shots);
    rows
}

/// The mean over blocks from the second on; `None` if a block has no value.
fn after_first(rows: &[&SemanticRow], value: impl Fn(&SemanticRow) -> Option<f64>) -> Option<f64> {
    let values: Option<Vec<f64>> = rows.iter().filter(|row| row.block > 1).map(|row| value(row)).collect();
    values.filter(|values| !values.is_empty()).map(|values| statistics::mean(&values))
}

fn figures(
    tables: &SemanticTables,
    y_label: &str,
    dashed: Option<&str>,
    point: &dyn Fn(&SummaryRow) -> Option<Point>,
) -> Result<Vec<Figure>> {
    let (layout, corpora) = (tables.layout(), tables.corpora());
    let points =
        |model: &str, corpus: &str| of(tables, model, corpus).into_iter().filter_map(point).collect();
    let curves = Curves {
        panels: layout.panels(&corpora, points),
        key: layout.key.clone(),
        across: layout.across(corpora.len()),
        x_label: "examples in the prompt".into(),
        y_label: y_label.into(),
        dashed: dashed.map(str::to_owned),
        is_count: true,
    };
    curves.figures()
}
