//! Measures the findings of "Quantifying Semantic Emergence in Language Models" (arXiv 2405.12617) on any
//! models with both estimands. For each finding it makes a report, and a verdict on this run.
//!
//! ```console
//! $ cargo run --release --example paper                               # all six, on the embedded family
//! $ cargo run --release --example paper -- shots position             # some
//! $ cargo run --release --example paper -- --estimand semantic        # with one estimand
//! $ cargo run --release --example paper -- --model gpt2 --model gpt2-medium --family gpt2 -o paper
//! ```
//!
//! stdout has one line for each finding and estimand: `shown` or `not shown`, and the numbers. The folder
//! (`target/paper`, or the folder of `-o`) has a folder for each finding with the CSV files, tables and
//! figures, and a folder of the semantic profiles, which a later run reads instead of measuring again. A
//! verdict applies only to the models and corpora of the run.

mod answers;
mod designs;
mod facts;
mod position;
mod prediction;
mod rank;
mod series;
mod shots;
mod size;
mod texts;
mod variance;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use surmise::emergence::{MeasureSettings, Profile, ProfileRow};
use surmise::mi::Channel;
use surmise::model::hub::Hub;
use surmise::model::{FAMILY, Model, ModelOptions};
use surmise::report::{self, Selection};
use surmise::{Error, Result, disk};

use designs::Designs;
use series::Series;

#[derive(Debug, Parser)]
struct Opts {
    /// Findings to measure: shots, variance, position, size, texts, prediction [default: all]
    results: Vec<String>,
    /// Embedded names, folders, or ids on a hub; may be given several times [default: the embedded family]
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Family of the named models: their training recipe
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Estimand to measure: semantic or positional [default: both]
    #[arg(long, value_parser = ["semantic", "positional"])]
    estimand: Option<String>,
    /// Semantic: whether to measure the randomly initialised models, which only `size` uses
    #[arg(long, value_parser = ["on", "off"], default_value = "on")]
    random_init: String,
    /// Positional: natural sentences for `position`; for `texts` a file with a column `group`, such as the
    /// author of the text [default: sentences that state the embedded facts, and a model's continuations]
    #[arg(long, value_name = "FILE")]
    texts: Option<PathBuf>,
    /// Positional: number of series of each corpus, and maximum number of windows of each group of texts
    #[arg(long, default_value_t = 600, value_name = "N")]
    windows: usize,
    /// Folder for the tables and figures
    #[arg(short, long, default_value = "target/paper", value_name = "DIR")]
    output: PathBuf,
}

/// One finding of the paper.
struct Finding {
    name: &'static str,
    /// The claim of the paper.
    says: &'static str,
    semantic: Measure,
    positional: Measure,
}

type Measure = fn(&Run) -> Result<Vec<Verdict>>;

static FINDINGS: [Finding; 6] = [
    Finding {
        name: "shots",
        says: "emergence grows with the number of shots, in every category",
        semantic: shots::semantic,
        positional: shots::positional,
    },
    Finding {
        name: "variance",
        says: "the variance of emergence over series depends on the number of shots and on the error",
        semantic: variance::semantic,
        positional: variance::positional,
    },
    Finding {
        name: "position",
        says: "emergence grows with the position in natural sentences",
        semantic: position::semantic,
        positional: position::positional,
    },
    Finding {
        name: "size",
        says: "emergence grows with the size of the model",
        semantic: size::semantic,
        positional: size::positional,
    },
    Finding {
        name: "texts",
        says: "texts of models and of people give different values",
        semantic: texts::semantic,
        positional: texts::positional,
    },
    Finding {
        name: "prediction",
        says: "small models predict the emergence of large models",
        semantic: prediction::semantic,
        positional: prediction::positional,
    },
];

/// The verdict of this run on a finding.
struct Verdict {
    shown: bool,
    numbers: String,
}

/// Data that all findings use.
struct Run {
    opts: Opts,
    models: Vec<String>,
    hub: Hub,
    series: Series,
    designs: Designs,
}

const SEED: u64 = 0;

fn main() -> ExitCode {
    match run(Opts::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(opts: Opts) -> Result<()> {
    let wanted =
        |finding: &&Finding| opts.results.is_empty() || opts.results.iter().any(|name| name == finding.name);
    if let Some(name) = opts.results.iter().find(|name| FINDINGS.iter().all(|finding| finding.name != **name))
    {
        let hint = format!("the findings are {}", FINDINGS.each_ref().map(|finding| finding.name).join(", "));
        return Err(Error::Unknown { kind: "finding", name: name.clone(), hint });
    }
    let findings: Vec<&Finding> = FINDINGS.iter().filter(wanted).collect();
    let models = match opts.models.as_slice() {
        [] => FAMILY.iter().map(|member| member.name.to_owned()).collect(),
        named => named.to_vec(),
    };
    let run =
        Run { opts, models, hub: Hub::from_env()?, series: Series::default(), designs: Designs::default() };
    for finding in findings {
        println!("{}: {}", finding.name, finding.says);
        for (estimand, measure) in [("semantic", finding.semantic), ("positional", finding.positional)] {
            if run.opts.estimand.as_deref().is_some_and(|wanted| wanted != estimand) {
                continue;
            }
            for verdict in measure(&run)? {
                let shown = if verdict.shown { "shown" } else { "not shown" };
                println!("    {estimand}, {shown}: {}", verdict.numbers);
            }
        }
    }
    Ok(())
}

impl Run {
    fn load(&self, name: &str) -> Result<Model> {
        let mut model = Model::load_with(name, ModelOptions::default(), &self.hub)?;
        model.info.family = model.info.family.or_else(|| self.opts.family.clone());
        Ok(model)
    }

    /// The models that read texts: the named models, or the largest model of each embedded family.
    fn readers(&self) -> Vec<String> {
        match self.opts.models.as_slice() {
            [] => {
                let is_last =
                    |at: usize| FAMILY.get(at + 1).is_none_or(|next| next.family != FAMILY[at].family);
                (0..FAMILY.len()).filter(|at| is_last(*at)).map(|at| FAMILY[at].name.to_owned()).collect()
            }
            named => named.to_vec(),
        }
    }

    /// A folder of the output.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.opts.output.join(name);
        disk::make_folder(&folder)?;
        Ok(folder)
    }
}

fn settings() -> MeasureSettings {
    MeasureSettings::new(Channel::default(), SEED, SEED)
}

/// Writes profiles.csv for some profiles, and a report that reads it.
fn report_profiles(profiles: &[Profile], name: &str, folder: &Path) -> Result<()> {
    let rows: Vec<ProfileRow> = profiles.iter().flat_map(Profile::rows).collect();
    let file = folder.join("profiles.csv");
    disk::write(&file, &disk::csv_bytes(&file, &rows)?)?;
    report(name, folder)
}

fn report(name: &str, folder: &Path) -> Result<()> {
    report::find(name)?.make(&[folder.to_path_buf()], &Selection::default())?.write(name, folder).map(drop)
}
