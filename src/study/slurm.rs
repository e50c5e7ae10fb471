//! Writes a job script for Slurm: an array job that runs the shards, and a dependent job that joins their
//! results.

use std::path::Path;

/// Resources of the jobs.
#[derive(Debug, Clone)]
pub struct SlurmSettings {
    /// Number of jobs in the array.
    pub array: usize,
    /// Time limit of a job, in the format of Slurm.
    pub time: String,
    /// Memory of a job, in the format of Slurm.
    pub memory: String,
    /// Cores of a job.
    pub cpus: usize,
    /// Partition; `None` for the default.
    pub partition: Option<String>,
}

/// Returns a script that submits both jobs. It is run with `bash SCRIPT`. Paths should be absolute, because
/// jobs may start in another folder.
pub fn script(binary: &Path, study: &Path, folder: &Path, settings: &SlurmSettings) -> String {
    let SlurmSettings { array, time, memory, cpus, partition } = settings;
    let [binary, study] = [binary, study].map(|path| quoted(&path.to_string_lossy()));
    let folder = folder.to_string_lossy();
    // Slurm interprets `%` in the name of an output file as a pattern.
    let log = quoted(&format!("{}-log", folder.replace('%', "%%")));
    let log_folder = quoted(&format!("{folder}-log"));
    let folder = quoted(&folder);
    let partition = partition.as_ref().map_or(String::new(), |name| format!(" --partition={}", quoted(name)));
    let common = format!(
        "--parsable --requeue --open-mode=append --time={} --mem={} --cpus-per-task={cpus}{partition}",
        quoted(time),
        quoted(memory)
    );
    let job = format!("exec {binary} run {study} -o {folder} --offline --threads {cpus}");
    format!(
        "#!/bin/bash
# Submits a study as an array of {array} jobs, and a dependent job that predicts and reports.
# Jobs run offline. First fetch the Hugging Face models on a machine with a network: {binary} fetch {study}
# A job that is killed or requeued continues where it stopped. The last job runs the tasks that are left.
set -euo pipefail
mkdir -p {log_folder}
shards=$(sbatch {common} --array=1-{array} --job-name=surmise-shards --output={log}/shard-%a.txt <<'JOB'
#!/bin/bash
{job}
JOB
)
joined=$(sbatch {common} --dependency=afterany:\"${{shards%%;*}}\" --job-name=surmise-join \\
    --output={log}/join.txt <<'JOB'
#!/bin/bash
{job}
JOB
)
echo \"shards: job ${{shards%%;*}}; predictions and report: job ${{joined%%;*}}\"
"
    )
}

/// Quotes a string for the shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(quoted("/a/b-1.toml"), "/a/b-1.toml");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
    }
}
