//! Determines whether a GGUF file is a model, and which architecture the model has.

use super::form::GgufForm;
use super::registry::{self, FORMS};
use crate::error::Result;
use crate::model::weights::gguf::Gguf;

/// The registry row of a model's architecture.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a file that is not a model, and for an unsupported
/// architecture.
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
        Some(_) => Some("a file of an unsupported kind"),
    };
    if let Some(what) = what {
        return Err(
            metadata.fault(format!("is {what}, not a complete model; give the file of the model itself"))
        );
    }
    let Some(architecture) = architecture else {
        return Err(metadata.fault(
            "has no key `general.architecture`, so it is not a model file of llama.cpp; use another file",
        ));
    };
    let Some(form) = FORMS.iter().find(|form| form.name == architecture) else {
        let known = registry::names().collect::<Vec<_>>().join(", ");
        return Err(metadata.fault(format!(
            "general.architecture `{architecture}` is not supported; use a model of one of these types: \
             {known}"
        )));
    };
    if gguf.names().is_empty() {
        return Err(metadata.fault("contains a vocabulary but no weights; give the file of the model itself"));
    }
    Ok(form)
}
