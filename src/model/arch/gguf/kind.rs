//! What kind of thing a GGUF file is: a model, or something that belongs to one.

use super::form::GgufForm;
use super::registry::{self, FORMS};
use crate::error::Result;
use crate::model::weights::gguf::Gguf;

/// The row of a model's architecture.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a file that is no model, and for an
/// architecture that is not in the table.
pub(super) fn form(gguf: &Gguf) -> Result<&'static GgufForm> {
    let metadata = gguf.metadata();
    let architecture = metadata.text("general.architecture")?;
    let what = match metadata.text("general.type")? {
        Some("adapter") => Some("a LoRA adapter"),
        Some("mmproj") => Some("the image or audio part of a model (mmproj)"),
        Some("imatrix") => Some("an importance matrix"),
        Some("vocab") => Some("a vocabulary"),
        Some("model") | None if architecture == Some("clip") => {
            Some("the image or audio part of a model (mmproj)")
        }
        Some("model") | None => None,
        Some(_) => Some("no model"),
    };
    if let Some(what) = what {
        return Err(
            metadata.fault(format!("is {what} and no whole model; give the file of the model itself"))
        );
    }
    let Some(architecture) = architecture else {
        return Err(metadata.fault(
            "has no key `general.architecture`: it is no file of a model that llama.cpp reads; take another",
        ));
    };
    let Some(form) = FORMS.iter().find(|form| form.name == architecture) else {
        let known = registry::names().collect::<Vec<_>>().join(", ");
        return Err(metadata.fault(format!(
            "general.architecture `{architecture}` is not supported; take a model of one of these: {known}"
        )));
    };
    if gguf.names().is_empty() {
        return Err(metadata.fault("holds a vocabulary and no weights; give the file of the model itself"));
    }
    Ok(form)
}
