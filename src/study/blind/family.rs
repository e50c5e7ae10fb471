//! The family of a blind test: its members, which of them are hidden, and which others a card may be fitted
//! on.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::hub::Hub;
use crate::model::{FAMILY, Model, ModelOptions};

/// Fewest others that a card is fitted on.
const LEAST_OTHERS: usize = 5;

/// One model of the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// What opens it: a folder, an id on a hub, or an embedded name.
    #[serde(skip)]
    pub name: String,
    /// Its id.
    pub id: String,
    /// The family it belongs to.
    pub family: String,
    /// Its parameters.
    pub n_params: usize,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
}

/// The members, family by family, from small to large.
#[derive(Debug)]
pub struct Family {
    /// In that order.
    pub members: Vec<Member>,
    hub: Hub,
}

/// A row of a table of members.
#[derive(Deserialize)]
struct Named {
    model: String,
    family: String,
}

impl Family {
    /// The embedded family.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn embedded(hub: Hub) -> Result<Self> {
        Self::of(FAMILY.iter().map(|member| (member.name.to_owned(), member.family.to_owned())), hub)
    }

    /// The members of a CSV table with the columns `model` (a folder, an id, or an embedded name) and
    /// `family`.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Csv`]; those of [`Model::load`]; [`Error::Parameter`] for two members of one
    /// id.
    pub fn read(path: &Path, hub: Hub) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes.as_slice());
        let mut named = vec![];
        for (line, row) in (2..).zip(reader.deserialize::<Named>()) {
            let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
            let row = row.map_err(|error| fault(format!("{error}; the columns are `model` and `family`")))?;
            if row.model.is_empty() || row.family.is_empty() {
                return Err(fault("has an empty cell; name the model and its family".into()));
            }
            named.push((row.model, row.family));
        }
        Self::of(named, hub)
    }

    fn of(named: impl IntoIterator<Item = (String, String)>, hub: Hub) -> Result<Self> {
        let mut members: Vec<Member> = vec![];
        for (name, family) in named {
            let card = Model::load_with(&name, ModelOptions::default(), &hub)?.info;
            let (id, n_params, weights_sha256) = (card.id, card.n_params, card.weights_sha256);
            if members.iter().any(|member| member.id == id) {
                let reason =
                    format!("names {id} twice, or two folders that end in it; members are told apart by it");
                return Err(Error::Parameter { name: "--family", reason });
            }
            members.push(Member { name, id, family, n_params, weights_sha256 });
        }
        members.sort_by(|a, b| (&a.family, a.n_params, &a.id).cmp(&(&b.family, b.n_params, &b.id)));
        Ok(Self { members, hub })
    }

    /// The members to be hidden, by family or id; all if none is named.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is neither; [`Error::Parameter`] if no hidden member leaves enough
    /// others to fit a card on.
    pub(crate) fn hidden(&self, names: &[String]) -> Result<Vec<&Member>> {
        if let Some(name) =
            names.iter().find(|name| !self.members.iter().any(|m| m.id == **name || m.family == **name))
        {
            let mut families: Vec<&str> = self.members.iter().map(|member| member.family.as_str()).collect();
            families.dedup();
            let ids: Vec<&str> = self.members.iter().map(|member| member.id.as_str()).collect();
            let hint = format!("the families are {}, their members {}", families.join(", "), ids.join(", "));
            return Err(Error::Unknown { kind: "member", name: name.clone(), hint });
        }
        let wanted =
            |m: &&Member| names.is_empty() || names.iter().any(|name| *name == m.id || *name == m.family);
        let hidden: Vec<&Member> = self.members.iter().filter(wanted).collect();
        let most = hidden.iter().map(|member| self.others(member).len()).max().unwrap_or(0);
        if most < LEAST_OTHERS {
            let reason = format!(
                "leaves {most} others at most to fit a card on (members of other families, smaller ones of \
                 the same), and {LEAST_OTHERS} are the least; add members"
            );
            return Err(Error::Parameter { name: "--family", reason });
        }
        Ok(hidden)
    }

    /// What may be known of a hidden member: the members of other families, and the smaller ones of its own.
    pub(crate) fn others(&self, hidden: &Member) -> Vec<&Member> {
        let other = |m: &&Member| m.family != hidden.family || m.n_params < hidden.n_params;
        self.members.iter().filter(other).collect()
    }

    /// The smallest of some members, which reads the texts.
    pub(crate) fn reader<'a>(&self, others: &[&'a Member]) -> Option<&'a Member> {
        others.iter().copied().min_by_key(|member| (member.n_params, &member.id))
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
