//! Families of models, and the measured model that stands for a target.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::PublishedModel;
use crate::error::{Error, Result};
use crate::model::ModelInfo;

/// The models that were measured on one corpus, and what is published of all.
pub(super) struct Candidates<'a> {
    pub corpus: &'a str,
    pub measured: BTreeMap<&'a str, &'a ModelInfo>,
    pub published: &'a BTreeMap<String, PublishedModel>,
    /// The proxy of every target, if one was named.
    pub named: Option<&'a str>,
}

impl<'a> Candidates<'a> {
    /// Family of a model, empty if it is unknown: that of its profile, else the published one.
    pub fn family(&self, model: &str) -> &'a str {
        let own = self.measured.get(model).and_then(|info| info.family.as_deref());
        let published = || self.published.get(model).map(|known| known.family.as_str());
        own.or_else(published).unwrap_or_default()
    }

    /// Billions of parameters of a model: measured, else published.
    pub fn params_b(&self, model: &str) -> Option<f64> {
        let own = self.measured.get(model).map(|info| info.n_params as f64 / 1e9);
        own.or_else(|| self.published.get(model)?.params_b)
    }

    /// The proxy of a target, or why there is none.
    ///
    /// # Errors
    /// [`Error::Observations`] if the proxy that was named was not measured on the corpus.
    fn proxy(&self, target: &str) -> Result<std::result::Result<&'a str, String>> {
        let family = self.family(target);
        let smallest = || self.smallest(family).filter(|_| !family.is_empty());
        let own = self.published.get(target).and_then(|known| known.proxy.as_deref());
        match own.or(self.named).or_else(smallest) {
            Some(proxy) if !self.measured.contains_key(proxy) => {
                let reason = format!("{target} on {}: the proxy {proxy} was not measured on it", self.corpus);
                Err(Error::Observations { reason })
            }
            Some(proxy) => Ok(Ok(proxy)),
            None if family.is_empty() => {
                Ok(Err("no proxy: its family is not known; name it with --models or \
                                                 measure --family, or a proxy with --proxy"
                    .into()))
            }
            None => Ok(Err(format!(
                "no proxy: no member of the family {family} was measured; name one with --proxy"
            ))),
        }
    }

    /// The smallest measured member of a family.
    fn smallest(&self, family: &str) -> Option<&'a str> {
        let members = self.measured.iter().filter(|(model, _)| self.family(model) == family);
        members.min_by_key(|(_, info)| info.n_params).map(|(model, _)| *model)
    }
}

/// Why a target and its proxy cannot be compared, if they were measured with other seeds: differences between
/// models and between texts can only be told apart where both saw the same texts.
fn seeds_differ(
    (target, own): (&str, &BTreeSet<u64>),
    (proxy, of_proxy): (&str, &BTreeSet<u64>),
) -> Option<String> {
    let list = |seeds: &BTreeSet<u64>| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    (own != of_proxy).then(|| {
        format!(
            "{target} was measured with seeds {} and its proxy {proxy} with {}; measure both with the same",
            list(own),
            list(of_proxy)
        )
    })
}

/// What was measured of a target and of its proxy.
pub(super) struct Matched<'a, M> {
    /// Empty if there is no proxy.
    pub proxy_model: &'a str,
    pub own: Option<M>,
    pub proxy: Option<M>,
    /// Why one of them is missing; empty if none is.
    pub note: String,
}

impl<'a> Candidates<'a> {
    /// A target with its proxy; `None` for a target that is its own proxy, from which nothing could be
    /// learnt. `measured` gives what was measured of a model, or why it cannot be used.
    ///
    /// # Errors
    /// Those of [`Self::proxy`].
    pub fn matched<M>(
        &self,
        target: &str,
        measured: impl Fn(&str) -> std::result::Result<Option<M>, String>,
        seeds: impl Fn(&M) -> BTreeSet<u64>,
    ) -> Result<Option<Matched<'a, M>>> {
        let (proxy_model, mut note) = match self.proxy(target)? {
            Ok(proxy) if proxy == target => return Ok(None),
            Ok(proxy) => (proxy, String::new()),
            Err(why) => ("", why),
        };
        let mut find = |model: &str| {
            measured(model).unwrap_or_else(|why| {
                note = why;
                None
            })
        };
        let (own, mut proxy) = (find(target), find(proxy_model));
        if let (Some(own), Some(other)) = (&own, &proxy)
            && let Some(why) = seeds_differ((target, &seeds(own)), (proxy_model, &seeds(other)))
        {
            note = why;
            proxy = None;
        }
        Ok(Some(Matched { proxy_model, own, proxy, note }))
    }
}
