//! Finds the families of models, and the proxy of each target: the model that is measured in its place.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::PublishedModel;
use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::names;

/// Largest difference between the natural logarithms of the published and the measured size that causes no
/// note. Published sizes are rounded, and some exclude the embeddings.
const LARGEST_SIZE_DIFFERENCE: f64 = 0.25;

/// The models that were measured on one corpus, and the published facts about all models.
pub(super) struct Candidates<'a> {
    corpus: &'a str,
    measured: BTreeMap<&'a str, &'a ModelInfo>,
    published: &'a BTreeMap<String, PublishedModel>,
    /// The proxy of every target, if `--proxy` was given.
    named: Option<&'a str>,
    /// The models that are proxies of other targets.
    proxies: BTreeSet<&'a str>,
}

impl<'a> Candidates<'a> {
    /// Finds the proxies of `targets`.
    ///
    /// # Errors
    /// [`Error::Observations`] if the given proxy was not measured on the corpus.
    pub fn new(
        corpus: &'a str,
        measured: BTreeMap<&'a str, &'a ModelInfo>,
        (published, named): (&'a BTreeMap<String, PublishedModel>, Option<&'a str>),
        targets: &BTreeSet<&'a str>,
    ) -> Result<Self> {
        let spelled = |typed: &'a str| names::find(typed, measured.keys(), |name| name).copied();
        let named = named.map(|typed| spelled(typed).unwrap_or(typed));
        let mut candidates = Self { corpus, measured, published, named, proxies: BTreeSet::new() };
        for target in targets {
            let proxy = candidates.proxy(target)?.ok().filter(|proxy| proxy != target);
            candidates.proxies.extend(proxy);
        }
        Ok(candidates)
    }

    /// The family of a model: the published family, otherwise the family in its profile; empty if unknown.
    pub fn family(&self, model: &str) -> &'a str {
        let published = self.published.get(model).map(|known| known.family.as_str());
        let own = || self.measured.get(model).and_then(|info| info.family.as_deref());
        published.filter(|family| !family.is_empty()).or_else(own).unwrap_or_default()
    }

    /// The number of parameters in billions: the published number, otherwise the number in the profile.
    pub fn params_b(&self, model: &str) -> Option<f64> {
        let published = self.published.get(model).and_then(|known| known.params_b);
        published.or_else(|| Some(self.measured.get(model)?.n_params as f64 / 1e9))
    }

    /// The proxy of a target, or the reason why there is none.
    ///
    /// # Errors
    /// [`Error::Observations`] if the given proxy was not measured on the corpus.
    fn proxy(&self, target: &str) -> Result<std::result::Result<&'a str, String>> {
        let family = self.family(target);
        let smallest = || self.smallest(family).filter(|_| !family.is_empty());
        let own = self.published.get(target).and_then(|known| known.proxy.as_deref());
        match own.or(self.named).or_else(smallest) {
            Some(proxy) if !self.measured.contains_key(proxy) => {
                let near = names::suggestion(proxy, self.measured.keys().copied());
                let reason = format!(
                    "{target} on {}: the proxy {proxy} was not measured on this corpus; {near}measure it, or \
                     choose another proxy",
                    self.corpus
                );
                Err(Error::Observations { reason })
            }
            Some(proxy) => Ok(Ok(proxy)),
            None if family.is_empty() => Ok(Err(
                "no proxy: its family is unknown; give the family with --models or measure --family, \
                        or a proxy with --proxy"
                    .into(),
            )),
            None => Ok(Err(format!(
                "no proxy: no member of the family {family} was measured; give a proxy with --proxy"
            ))),
        }
    }

    /// The smallest measured member of a family. If several members have this size, the first of them by
    /// name.
    fn smallest(&self, family: &str) -> Option<&'a str> {
        let members = self.measured.keys().filter(|model| self.family(model) == family);
        let size = |model: &&&str| self.params_b(model).unwrap_or(f64::INFINITY);
        members.min_by(|a, b| size(a).total_cmp(&size(b))).copied()
    }

    /// The reason why a measured model that would be its own proxy has no proxy.
    fn alone(&self, model: &str) -> String {
        let family = self.family(model);
        let members = self.measured.keys().filter(|other| self.family(other) == family).count();
        match members {
            1 if !family.is_empty() => {
                format!("no proxy: it is the only model of the family {family} that was measured")
            }
            _ => "no proxy: it would be its own proxy, and it is not the proxy of another model".into(),
        }
    }

    /// Contradictions between profiles and published facts, one sentence each.
    pub fn contradictions(&self) -> Vec<String> {
        let mut notes = vec![];
        for (model, info) in &self.measured {
            let Some(known) = self.published.get(*model) else { continue };
            if let Some(family) = info.family.as_deref().filter(|family| *family != self.family(model)) {
                notes.push(format!(
                    "{model}: the family is {} (--models), but {family} in its profile",
                    self.family(model)
                ));
            }
            let measured_b = info.n_params as f64 / 1e9;
            if let Some(params_b) =
                known.params_b.filter(|b| (b / measured_b).ln().abs() > LARGEST_SIZE_DIFFERENCE)
            {
                notes.push(format!(
                    "{model}: params_b is {params_b} (--models), but {measured_b} in its profile"
                ));
            }
        }
        notes
    }
}

/// The reason why a target and its proxy with different seeds cannot be compared. Differences between models
/// can be separated from differences between texts only if the texts are the same.
fn seeds_differ(
    (target, own): (&str, &BTreeSet<u64>),
    (proxy, of_proxy): (&str, &BTreeSet<u64>),
) -> Option<String> {
    let list = |seeds: &BTreeSet<u64>| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    (own != of_proxy).then(|| {
        format!(
            "{target} was measured with seeds {}, but its proxy {proxy} with seeds {}; measure both with the \
             same seeds",
            list(own),
            list(of_proxy)
        )
    })
}

/// The measurements of a target and of its proxy.
pub(super) struct Matched<'a, M> {
    /// The name of the proxy; empty if there is none.
    pub proxy_model: &'a str,
    pub own: Option<M>,
    pub proxy: Option<M>,
    /// The reason why the row is unsupported, such as a family without a measured member or different seeds;
    /// empty if it is supported.
    pub unsupported: String,
    /// The reason why a supported row has no proxy: the target would be its own proxy. Empty if the row has a
    /// proxy.
    pub alone: String,
}

impl<'a> Candidates<'a> {
    /// Matches a target with its proxy. `None` for a model that is the proxy of other models and would be its
    /// own proxy, because a calibration cannot learn from its row. `measured` returns the measurements of a
    /// model, or the reason why they cannot be used.
    ///
    /// # Errors
    /// Returns the errors of [`Self::proxy`].
    pub fn matched<M>(
        &self,
        target: &str,
        measured: impl Fn(&str) -> std::result::Result<Option<M>, String>,
        seeds: impl Fn(&M) -> BTreeSet<u64>,
    ) -> Result<Option<Matched<'a, M>>> {
        let (proxy_model, mut unsupported, alone) = match self.proxy(target)? {
            Ok(proxy) if proxy == target && self.proxies.contains(target) => return Ok(None),
            Ok(proxy) if proxy == target => ("", String::new(), self.alone(target)),
            Ok(proxy) => (proxy, String::new(), String::new()),
            Err(why) => ("", why, String::new()),
        };
        let mut find = |model: &str| {
            measured(model).unwrap_or_else(|why| {
                unsupported = why;
                None
            })
        };
        let (own, mut proxy) = (find(target), find(proxy_model));
        if let (Some(own), Some(other)) = (&own, &proxy)
            && let Some(why) = seeds_differ((target, &seeds(own)), (proxy_model, &seeds(other)))
        {
            unsupported = why;
            proxy = None;
        }
        Ok(Some(Matched { proxy_model, own, proxy, unsupported, alone }))
    }
}
