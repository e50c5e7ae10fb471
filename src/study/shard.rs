//! Divides a study into shards for several machines. Every machine computes the same plan and runs the tasks
//! of its own shard.

use super::task::StudyTask;
use crate::error::{Error, Result};

/// One shard of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Index of the shard, from 0.
    pub index: usize,
    /// Number of shards.
    pub count: usize,
}

/// Maximum number of shards.
const MOST: usize = 100_000;

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some((index.trim().parse::<usize>().ok()?, count.trim().parse::<usize>().ok()?))
        });
        match numbers {
            Some((index, count)) if (1..=count).contains(&index) && count <= MOST => {
                Ok(Self { index: index - 1, count })
            }
            _ => Err(format!("use I/N with I from 1 to N, such as 2/4; N is at most {MOST}")),
        }
    }
}

impl Shard {
    /// The shard given by the environment of a job array: Slurm, or a Kubernetes indexed job with
    /// `SURMISE_SHARDS`. `get` reads an environment variable.
    ///
    /// # Errors
    /// [`Error::Parameter`] for variables that contradict each other.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let number = |name: &'static str| -> Result<Option<usize>> {
            let Some(text) = get(name) else { return Ok(None) };
            let fault =
                || Error::Parameter { name, reason: format!("is {text:?}; it must be a whole number") };
            text.trim().parse().map(Some).map_err(|_| fault())
        };
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let Some(count) = number("SLURM_ARRAY_TASK_COUNT")? else { return Ok(None) };
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let index = id.checked_sub(first).map(|after| after / step).filter(|index| *index < count);
            let Some(index) = index else {
                let reason = format!(
                    "is {id}, which is not one of {count} tasks that start at {first}; number the array \
                     without gaps (--array=1-{count}), or use --shard I/N"
                );
                return Err(Error::Parameter { name: "SLURM_ARRAY_TASK_ID", reason });
            };
            return Ok(Some(Self { index, count }));
        }
        match (number("JOB_COMPLETION_INDEX")?, number("SURMISE_SHARDS")?) {
            (Some(index), Some(count)) if index < count => Ok(Some(Self { index, count })),
            (Some(index), Some(count)) => {
                let reason =
                    format!("is {index}, but must be below the number of shards, {count} (SURMISE_SHARDS)");
                Err(Error::Parameter { name: "JOB_COMPLETION_INDEX", reason })
            }
            _ => Ok(None),
        }
    }
}

/// Assigns each task to a shard. Tasks are assigned from the longest to the shortest, each to the shard with
/// the least estimated time.
pub fn place(tasks: &[StudyTask], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let seconds = |at: usize| tasks[at].cost.seconds;
    order.sort_by(|a, b| seconds(*b).total_cmp(&seconds(*a)).then_with(|| tasks[*a].id.cmp(&tasks[*b].id)));
    let (mut loads, mut shards) = (vec![0.0_f64; count.max(1)], vec![0; tasks.len()]);
    for at in order {
        let least = (0..loads.len()).min_by(|a, b| loads[*a].total_cmp(&loads[*b])).unwrap_or(0);
        loads[least] += seconds(at);
        shards[at] = least;
    }
    shards
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_read_from_text_and_from_job_arrays() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 1, count: 4 }));
        for text in ["0/4", "5/4", "1", "a/b", "1/0", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        let of = |pairs: &[(&str, &str)]| {
            let pairs: Vec<(String, String)> =
                pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Shard::from_env(|name| pairs.iter().find(|(other, _)| other == name).map(|(_, v)| v.clone()))
        };
        let array = |id, min, count| {
            of(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ])
        };
        assert_eq!(array("3", "1", "4").expect("a shard"), Some(Shard { index: 2, count: 4 }));
        assert_eq!(array("0", "0", "4").expect("a shard"), Some(Shard { index: 0, count: 4 }));
        assert!(array("9", "1", "4").is_err() && array("x", "1", "4").is_err());
        let pod = of(&[("JOB_COMPLETION_INDEX", "3"), ("SURMISE_SHARDS", "4")]);
        assert_eq!(pod.expect("a shard"), Some(Shard { index: 3, count: 4 }));
        assert_eq!(of(&[]).expect("none"), None);
    }
}
