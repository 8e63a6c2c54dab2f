//! What is known, and what is not: nothing that could not be observed is ever taken for fine.

use crate::fault::{Fault, Kind};

/// A value that was observed, or the reason why it could not be.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<T> {
    /// Observed.
    Known(T),
    /// Not observed: why, and what would make it known.
    Unknown(Fault),
}

impl<T> Seen<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// The fault, if it is not.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(fault) => Some(fault),
        }
    }

    /// The value, or why there is none.
    ///
    /// # Errors
    /// The fault of what is not known.
    pub fn into_result(self) -> Result<T, Fault> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(fault) => Err(fault),
        }
    }

    /// The same question about a part of the value.
    pub fn map<U>(self, part: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Known(value) => Seen::Known(part(value)),
            Self::Unknown(fault) => Seen::Unknown(fault),
        }
    }

    /// Borrowed.
    pub fn as_ref(&self) -> Seen<&T> {
        match self {
            Self::Known(value) => Seen::Known(value),
            Self::Unknown(fault) => Seen::Unknown(fault.clone()),
        }
    }

    /// Whether it is unknown for this reason.
    pub fn unknown_for(&self, kind: Kind) -> bool {
        self.fault().is_some_and(|fault| fault.kind == kind)
    }
}

impl<T> From<Result<T, Fault>> for Seen<T> {
    fn from(result: Result<T, Fault>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(fault) => Self::Unknown(fault),
        }
    }
}
