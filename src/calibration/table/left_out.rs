//! Collects the columns that are left out, and writes one note for each reason.

/// The columns that are left out for one reason.
struct Reason {
    /// The reason, as it follows "is" or "are".
    what: String,
    /// Advice at the end of the note.
    then: String,
    names: Vec<String>,
}

/// The columns that were left out so far.
#[derive(Default)]
pub(super) struct LeftOut {
    reasons: Vec<Reason>,
}

impl LeftOut {
    /// Adds a column that is left out for the reason `what`.
    pub(super) fn add(&mut self, name: &str, what: &str) {
        self.add_and_say(name, what, "");
    }

    /// Like [`Self::add`], with advice at the end of the note.
    pub(super) fn add_and_say(&mut self, name: &str, what: &str, then: &str) {
        match self.reasons.iter_mut().find(|reason| reason.what == what && reason.then == then) {
            Some(reason) => reason.names.push(name.into()),
            None => {
                self.reasons.push(Reason { what: what.into(), then: then.into(), names: vec![name.into()] });
            }
        }
    }

    /// One note for each reason, in the order in which the reasons were added.
    pub(super) fn notes(self) -> impl Iterator<Item = String> {
        self.reasons.into_iter().map(|Reason { what, then, names }| {
            let (columns, are) = if names.len() == 1 { ("column", "is") } else { ("columns", "are") };
            format!("{columns} {} {are} {what} and {are} left out{then}", names.join(", "))
        })
    }
}
