//! Columns that are left out, named with the reason: one note for all that share it.

/// The columns of one reason.
struct Reason {
    /// Behind "is" or "are".
    what: String,
    /// What else there is to say.
    then: String,
    names: Vec<String>,
}

/// The columns that were left out so far.
#[derive(Default)]
pub(super) struct LeftOut {
    reasons: Vec<Reason>,
}

impl LeftOut {
    /// A column that is `what`.
    pub(super) fn add(&mut self, name: &str, what: &str) {
        self.add_and_say(name, what, "");
    }

    /// The same, with more to say behind.
    pub(super) fn add_and_say(&mut self, name: &str, what: &str, then: &str) {
        match self.reasons.iter_mut().find(|reason| reason.what == what && reason.then == then) {
            Some(reason) => reason.names.push(name.into()),
            None => {
                self.reasons.push(Reason { what: what.into(), then: then.into(), names: vec![name.into()] });
            }
        }
    }

    /// One note for each reason, in the order in which they came up.
    pub(super) fn notes(self) -> impl Iterator<Item = String> {
        self.reasons.into_iter().map(|Reason { what, then, names }| {
            let (columns, are) = if names.len() == 1 { ("column", "is") } else { ("columns", "are") };
            format!("{columns} {} {are} {what} and {are} left out{then}", names.join(", "))
        })
    }
}
