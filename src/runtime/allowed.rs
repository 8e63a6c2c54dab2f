//! Whether a write outside the cluster may be done now, and what stands in its way: the same for both kinds. [pure]

/// Whether a step may be taken now.
#[allow(clippy::enum_variant_names)] // the words of `status.plan`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// It may.
    Yes,
    /// The spec's `allowedActions` does not name its action.
    NotAllowed,
    /// No grant of the installation covers it.
    NotGranted,
    /// The operator runs with `--read-only`.
    ReadOnly,
    /// Something else has to come first: what.
    NotYet(String),
}

impl Allowed {
    /// By the three that are asked: the spec, the installation's grants, and `--read-only`.
    #[must_use]
    pub fn by(named: bool, granted: bool, read_only: bool) -> Self {
        if !named {
            Self::NotAllowed
        } else if !granted {
            Self::NotGranted
        } else if read_only {
            Self::ReadOnly
        } else {
            Self::Yes
        }
    }

    /// The same, if this need not come first. Everything else that bars it bars it first.
    #[must_use]
    pub fn after(self, first: Option<&str>) -> Self {
        match (self, first) {
            (Self::Yes, Some(first)) => Self::NotYet(first.to_owned()),
            (barred, _) => barred,
        }
    }

    /// The word in `status.plan`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::NotAllowed => "NotAllowed",
            Self::NotGranted => "NotGranted",
            Self::ReadOnly => "ReadOnly",
            Self::NotYet(_) => "NotYet",
        }
    }

    /// Why a step is there, and what has to come first.
    #[must_use]
    pub fn reason(&self, reason: &str) -> String {
        match self {
            Self::NotYet(first) => format!("{reason}; {first}"),
            _ => reason.to_owned(),
        }
    }
}
