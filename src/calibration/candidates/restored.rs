//! Restores fitted candidates from a card: the candidate with the stored name reads the parameters.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::blend::{self, Blend};
use super::fitted::{FittedCandidate, Record};
use super::registry::{ALL, index_of};
use super::screened::Screened;

impl<'de> Deserialize<'de> for FittedCandidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Record { candidate, parameters } = Record::deserialize(deserializer)?;
        let model = if candidate == blend::NAME {
            Blend::restore(parameters)
        } else {
            let at = index_of(&candidate)
                .ok_or_else(|| D::Error::custom(format!("there is no candidate `{candidate}`")))?;
            Screened::restore(&parameters).unwrap_or_else(|| ALL[at].restore(parameters))
        };
        Ok(Self::new(&candidate, model.map_err(D::Error::custom)?))
    }
}
