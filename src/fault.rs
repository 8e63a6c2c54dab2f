//! What can go wrong, and what is to be done about it.

use std::time::Duration;

/// What a fault asks for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again: after this long, or by the object's own back-off.
    Retry(Option<Duration>),
    /// Nothing changes until a spec, a Secret or the other side's settings do.
    Stalled,
    /// The other side knows us and says no.
    Denied,
    /// Our mistake.
    Bug,
}

/// A thing that went wrong, in one sentence that an administrator can act on. Never holds a body or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Fault {
    /// What is to be done.
    pub class: Class,
    /// A fixed word for metrics and for the few places that must tell faults apart.
    pub kind: Kind,
    /// One sentence.
    pub sentence: String,
    /// The permission of Microsoft Graph that the operator's app would need; `None`: it is not a permission that is missing.
    pub lacks: Option<&'static str>,
}

/// Fixed words for faults: label values of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The host is neither compiled in nor allowed by `--allow-host`.
    HostNotAllowed,
    /// `--read-only` forbids the write.
    ReadOnly,
    /// This process does not lead (any more), so that it may not write.
    NotLeading,
    /// No answer: connection, TLS or deadline.
    Unreachable,
    /// 429, or a service that says that it is overloaded.
    Throttled,
    /// 5xx.
    ServerError,
    /// 401, or a refused sign-in.
    CredentialRefused,
    /// The tenant does not exist.
    TenantNotFound,
    /// 403: the permission is missing.
    PermissionMissing,
    /// Dataverse: the caller is not a user of the environment.
    NotMember,
    /// Dataverse: the caller is a user of the environment, but no role of it has the privilege.
    PrivilegeMissing,
    /// The environment is in administration mode, or Microsoft is working on it.
    NotRunning,
    /// Microsoft Entra ID P1 or P2 is missing.
    PremiumMissing,
    /// The user has no license (yet) that lets it into the environment.
    NotLicensed,
    /// Power Platform: the app is not a registered management application.
    ManagementAppNotRegistered,
    /// 404.
    NotFound,
    /// 409, or a service's own word for "is there already".
    Conflict,
    /// Any other 4xx.
    Refused,
    /// The body is not what was agreed on: wrong type, truncated, too large.
    BadAnswer,
    /// The vendor shows it to no program.
    NotShown,
    /// The Kubernetes API said no or did not answer.
    Kubernetes,
    /// Something that must not happen.
    Bug,
}

impl Kind {
    /// The label value.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::HostNotAllowed => "host_not_allowed",
            Self::ReadOnly => "read_only",
            Self::NotLeading => "not_leading",
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
            Self::CredentialRefused => "credential_refused",
            Self::TenantNotFound => "tenant_not_found",
            Self::PermissionMissing => "permission_missing",
            Self::NotMember => "not_member",
            Self::PrivilegeMissing => "privilege_missing",
            Self::NotRunning => "not_running",
            Self::PremiumMissing => "premium_missing",
            Self::NotLicensed => "not_licensed",
            Self::ManagementAppNotRegistered => "management_app_not_registered",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::BadAnswer => "bad_answer",
            Self::NotShown => "not_shown",
            Self::Kubernetes => "kubernetes",
            Self::Bug => "bug",
        }
    }
}

impl Fault {
    /// A fault of this kind; the class follows from the kind.
    pub fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        let class = match kind {
            Kind::NotLeading
            | Kind::Unreachable
            | Kind::Throttled
            | Kind::ServerError
            | Kind::BadAnswer
            | Kind::Kubernetes => Class::Retry(None),
            Kind::HostNotAllowed
            | Kind::ReadOnly
            | Kind::CredentialRefused
            | Kind::TenantNotFound
            | Kind::ManagementAppNotRegistered => Class::Stalled,
            Kind::PermissionMissing
            | Kind::NotMember
            | Kind::PrivilegeMissing
            | Kind::NotRunning
            | Kind::PremiumMissing
            | Kind::NotLicensed
            | Kind::NotFound
            | Kind::Conflict
            | Kind::NotShown
            | Kind::Refused => Class::Denied,
            Kind::Bug => Class::Bug,
        };
        Self { class, kind, sentence: sentence.into(), lacks: None }
    }

    /// The same fault, to be tried again no sooner than after this long.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        if let Class::Retry(_) = self.class {
            self.class = Class::Retry(wait);
        }
        self
    }

    /// The same fault, for want of this permission.
    #[must_use]
    pub fn lacking(mut self, permission: &'static str) -> Self {
        self.lacks = Some(permission);
        self
    }

    /// How long the other side asked to be left alone, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.class {
            Class::Retry(wait) => wait,
            _ => None,
        }
    }
}

impl From<kube::Error> for Fault {
    fn from(error: kube::Error) -> Self {
        // Of an API error the server's own sentence is enough; other variants name the layer that failed.
        let said = match error {
            kube::Error::Api(status) => status.message,
            error => error.to_string(),
        };
        Self::new(Kind::Kubernetes, format!("The Kubernetes API refused or did not answer: {said}"))
    }
}
