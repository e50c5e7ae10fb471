//! Defines the members of a blind test, selects the hidden members, and selects the members that may be used
//! to predict a hidden member.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::{Error, Result};
use crate::model::hub::Hub;
use crate::model::{FACT_FAMILIES, Model, ModelOptions};
use crate::names::{self, is_same};

/// Minimum number of other members to fit a card.
const LEAST_OTHERS: usize = 5;

/// One model of a blind test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Source of the model: a folder, a Hugging Face id, or the name of an embedded model.
    #[serde(skip)]
    pub name: String,
    /// Id of the model.
    pub id: String,
    /// Family of the model. The models of a family share a training recipe.
    pub family: String,
    /// Training run to which the checkpoint belongs. For a model without other checkpoints, the run is its
    /// id.
    pub run: String,
    /// The training step of the checkpoint; `None` for the last checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Number of parameters.
    pub n_params: usize,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
}

impl Member {
    /// Log10 of the number of parameters.
    pub(crate) fn log10_params(&self) -> f64 {
        (self.n_params.max(1) as f64).log10()
    }

    /// Whether a prediction of this model may use `other`: `other` must belong to another family, be smaller,
    /// or be an earlier checkpoint of the same run.
    pub(crate) fn may_know(&self, other: &Self) -> bool {
        let is_earlier = other.step.unwrap_or(u64::MAX) < self.step.unwrap_or(u64::MAX);
        match (other.family == self.family, other.run == self.run) {
            (false, _) => true,
            (true, true) => is_earlier,
            (true, false) => other.n_params < self.n_params,
        }
    }
}

/// The members, sorted by family and then by size.
#[derive(Debug)]
pub struct Family {
    /// The sorted members.
    pub members: Vec<Member>,
    hub: Hub,
}

/// A row of a table of members.
#[derive(Deserialize)]
struct Named {
    model: String,
    family: String,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    step: Option<u64>,
}

impl Family {
    /// The embedded models of invented facts.
    ///
    /// # Errors
    /// Returns the errors of [`Model::load`].
    pub fn embedded(hub: Hub) -> Result<Self> {
        let named = FACT_FAMILIES.iter().map(|member| {
            let (run, step) = member.checkpoint();
            Named { model: member.name.into(), family: member.family.into(), run: Some(run.into()), step }
        });
        Self::of(named, hub)
    }

    /// Reads the members from a CSV table with the columns `model` (a folder, a Hugging Face id, or an
    /// embedded name) and `family`. Checkpoints of one training run also need `run` and `step`; the last
    /// checkpoint has no step.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Csv`]; the errors of [`Model::load`]; [`Error::Parameter`] for two members
    /// with the same id or the same weights.
    pub fn read(path: &Path, hub: Hub) -> Result<Self> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
        let mut named = vec![];
        for (line, row) in (2..).zip(reader.deserialize::<Named>()) {
            let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
            let columns = "the columns are `model`, `family`, and for checkpoints `run` and `step`";
            let mut row = row.map_err(|error| fault(format!("{error}; {columns}")))?;
            row.run = row.run.filter(|run| !run.is_empty());
            if row.model.is_empty() || row.family.is_empty() {
                return Err(fault("has an empty cell; fill the columns `model` and `family`".into()));
            }
            if let (None, Some(step)) = (&row.run, row.step) {
                let reason =
                    format!("has step {step} but no run; fill the column `run`, or leave both empty");
                return Err(fault(reason));
            }
            named.push(row);
        }
        Self::of(named, hub)
    }

    fn of(named: impl IntoIterator<Item = Named>, hub: Hub) -> Result<Self> {
        let mut members: Vec<Member> = vec![];
        for Named { model: name, family, run, step } in named {
            let card = Model::load_with(&name, ModelOptions::default(), &hub)?.info;
            let (id, n_params, weights_sha256) = (card.id, card.n_params, card.weights_sha256);
            let fault = |reason: String| Err(Error::Parameter { name: "--family", reason });
            if members.iter().any(|member| member.id == id) {
                return fault(format!(
                    "has two members with the id {id}; remove one of them or, if it is a folder, rename it: \
                     the id of a folder is its name"
                ));
            }
            if let Some(same) = members.iter().find(|member| member.weights_sha256 == weights_sha256) {
                return fault(format!(
                    "names {} and {id}, which have the same weights: one would be predicted from a copy of \
                     itself; leave one out",
                    same.id
                ));
            }
            let run = run.unwrap_or_else(|| id.clone());
            members.push(Member { name, id, family, run, step, n_params, weights_sha256 });
        }
        let last = |member: &Member| member.step.unwrap_or(u64::MAX);
        members.sort_by(|a, b| {
            (&a.family, a.n_params, &a.run, last(a)).cmp(&(&b.family, b.n_params, &b.run, last(b)))
        });
        Ok(Self { members, hub })
    }

    /// The members to hide, given by family or id; all members if `names` is empty.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is neither a family nor an id; [`Error::Parameter`] if there is no
    /// hidden member for which enough other members remain to fit a card.
    pub(crate) fn hidden(&self, names: &[String]) -> Result<Vec<&Member>> {
        if let Some(name) = names
            .iter()
            .find(|name| !self.members.iter().any(|m| is_same(name, &m.id) || is_same(name, &m.family)))
        {
            let mut families: Vec<&str> = self.members.iter().map(|member| member.family.as_str()).collect();
            families.dedup();
            let ids: Vec<&str> = self.members.iter().map(|member| member.id.as_str()).collect();
            let hint =
                format!("the families are {}; their members are {}", families.join(", "), ids.join(", "));
            return Err(names::unknown("member", name, families.into_iter().chain(ids), &hint));
        }
        let wanted = |m: &&Member| {
            names.is_empty() || names.iter().any(|name| is_same(name, &m.id) || is_same(name, &m.family))
        };
        let hidden: Vec<&Member> = self.members.iter().filter(wanted).collect();
        let most = hidden.iter().map(|member| self.others(member).len()).max().unwrap_or(0);
        if most < LEAST_OTHERS {
            let reason = format!(
                "leaves at most {most} other members to fit a card on (members of other families, and \
                 smaller members or earlier checkpoints of the same family), but at least {LEAST_OTHERS} are \
                 needed; add members"
            );
            return Err(Error::Parameter { name: "--family", reason });
        }
        Ok(hidden)
    }

    /// The members that a prediction of `hidden` may use.
    pub(crate) fn others(&self, hidden: &Member) -> Vec<&Member> {
        self.members.iter().filter(|other| hidden.may_know(other)).collect()
    }

    pub(crate) fn load(&self, member: &Member) -> Result<Model> {
        let mut model = Model::load_with(&member.name, ModelOptions::default(), &self.hub)?;
        model.info.family = Some(member.family.clone());
        Ok(model)
    }

    pub(crate) fn member(&self, id: &str) -> Result<&Member> {
        let hint = || self.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>().join(", ");
        let found = self.members.iter().find(|member| member.id == id);
        found.ok_or_else(|| Error::Unknown { kind: "member", name: id.into(), hint: hint() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, family: &str, run: &str, step: Option<u64>, n_params: usize) -> Member {
        let [name, id, family, run] = [id, id, family, run].map(String::from);
        Member { name, id, family, run, step, n_params, weights_sha256: String::new() }
    }

    #[test]
    fn larger_members_and_later_checkpoints_of_a_family_are_not_known() {
        let hidden = member("b-step2", "f", "b", Some(2), 20);
        let knows = |family: &str, run: &str, step: Option<u64>, n_params: usize| {
            hidden.may_know(&member("other", family, run, step, n_params))
        };
        // The prediction may use every member of another family. Within its own family, it may use smaller
        // members and earlier checkpoints of its own run.
        assert!(knows("g", "z", None, 90) && knows("g", "z", Some(9), 20));
        assert!(knows("f", "a", None, 10) && knows("f", "a", Some(9), 10));
        assert!(knows("f", "b", Some(1), 20));
        assert!(!knows("f", "b", Some(2), 20) && !knows("f", "b", Some(3), 20) && !knows("f", "b", None, 20));
        // Another run of the same size and a larger model must not be used.
        assert!(!knows("f", "c", Some(1), 20) && !knows("f", "d", None, 30));
        let last = member("b", "f", "b", None, 20);
        assert!(last.may_know(&hidden) && !last.may_know(&last));
    }
}
