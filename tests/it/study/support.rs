//! Creates a small study in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A design with the smallest allowed number of sets.
pub const DESIGN: &str = "[design]\ncorpora = [\"moons\"]\nshots = [1]\nsets = 4\nqueries = 4\n";

/// Open models of three families, and a closed model whose weights check the prediction.
pub const MODELS: &str = "
[[open]]
family = \"factgpt\"
models = [\"factgpt-[1-4]\"]
[[open]]
family = \"factllama\"
models = [\"factllama-[1-4]\"]
[[open]]
family = \"factneox\"
models = [\"factneox-[1-4]\"]
[[closed]]
weights = \"factqwen-4\"
family = \"factqwen\"
";

/// A folder with a study file.
pub struct StudyCase {
    folder: TempDir,
}

impl StudyCase {
    pub fn new(text: &str) -> Self {
        let case = Self { folder: tempfile::tempdir().expect("a folder") };
        case.write(text);
        case
    }

    pub fn write(&self, text: &str) {
        std::fs::write(self.path("study.toml"), text).expect("a study file");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the folder of the study.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_surmise"));
        command.args(arguments).current_dir(self.folder.path());
        for name in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "OPENAI_API_KEY"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary")
    }

    /// Runs a command that must succeed; returns its stdout and stderr.
    pub fn done(&self, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        (String::from_utf8(output.stdout).expect("UTF-8"), said)
    }

    /// Runs a command that must fail with this exit code; returns its stderr.
    pub fn refused(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    pub fn read(&self, file: &str) -> String {
        let path = self.path(file);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The files that do not depend on the time or place of a run, with their bytes.
pub fn results(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        ["observations.csv", "card.json", "predictions.csv"].map(|name| folder.join(name)).to_vec();
    let profiles = std::fs::read_dir(folder.join("profiles")).expect("profiles");
    files.extend(profiles.map(|entry| entry.expect("an entry").path()));
    files.sort();
    // Temporary files of a killed process may be left.
    files.retain(|path| !path.file_name().expect("a name").to_string_lossy().starts_with('.'));
    let named = files.into_iter().map(|path| {
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.strip_prefix(folder).expect("below").display().to_string(), bytes)
    });
    named.collect()
}
