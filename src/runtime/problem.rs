//! Why an object can't be worked on as it is declared: one sentence, and whose turn it is.

use std::time::Duration;

use crate::api::Reason;
use crate::fault::{Class, Fault, Kind};

/// What becomes of the object meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Something that it refers to is not there; it may come with the same `kubectl apply`.
    Missing,
    /// It stays wrong until somebody changes something.
    Wrong,
    /// The other side did not answer; tried again by itself.
    Later,
}

/// Why an object can't be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What becomes of it meanwhile.
    pub trouble: Trouble,
    /// The condition that is False or Unknown because of it. Example: `CredentialsValid`.
    pub condition: &'static str,
    /// The word.
    pub reason: Reason,
    /// The sentence: where it is wrong, and what to do.
    pub message: String,
    /// How long the other side asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// It refers to something that is not there.
    pub fn missing(condition: &'static str, message: impl Into<String>) -> Self {
        Self {
            trouble: Trouble::Missing,
            condition,
            reason: Reason::DependencyMissing,
            message: message.into(),
            retry_after: None,
        }
    }

    /// It is wrong.
    pub fn wrong(condition: &'static str, reason: Reason, message: impl Into<String>) -> Self {
        Self { trouble: Trouble::Wrong, condition, reason, message: message.into(), retry_after: None }
    }

    /// Whether what ends it also wakes the object: a change of its spec or of its Secret. Everything else has to be looked for.
    #[must_use]
    pub fn wakes_by_itself(&self) -> bool {
        matches!(
            self.reason,
            Reason::SecretInvalid
                | Reason::HostNotAllowed
                | Reason::TenantNotFound
                | Reason::AccountChanged
                | Reason::AccountMismatch
        )
    }

    /// Whether the object turned out to stand for something that is not its own: nobody may be asked to go on with it.
    #[must_use]
    pub fn concerns_identity(&self) -> bool {
        matches!(
            self.reason,
            Reason::AccountChanged
                | Reason::AccountClaimed
                | Reason::AccountMismatch
                | Reason::Ambiguous
                | Reason::ConnectorClaimed
                | Reason::ConnectorExists
        )
    }

    /// The word for what a fault leaves unseen.
    #[must_use]
    pub fn reason_of(fault: &Fault) -> Reason {
        match fault.kind {
            Kind::HostNotAllowed => Reason::HostNotAllowed,
            Kind::CredentialRefused => Reason::CredentialRefused,
            Kind::TenantNotFound => Reason::TenantNotFound,
            Kind::Bug => Reason::InternalError,
            _ if matches!(fault.class, Class::Retry(_)) => Reason::Unreachable,
            _ => Reason::NotObservable,
        }
    }

    /// The other side did not answer, or refused.
    #[must_use]
    pub fn from_fault(condition: &'static str, fault: &Fault) -> Self {
        let reason = Self::reason_of(fault);
        let trouble = match fault.class {
            // A permission may be given at any time, and nobody tells us.
            Class::Retry(_) | Class::Denied => Trouble::Later,
            Class::Stalled | Class::Bug => Trouble::Wrong,
        };
        Self { trouble, condition, reason, message: fault.sentence.clone(), retry_after: fault.retry_after() }
    }
}
