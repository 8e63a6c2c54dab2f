//! Why a condition is what it is: every reason that a status can show.

/// The reason of a condition. People and pipelines match on these words: they are never renamed, only added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    // --- fine ---
    /// Everything that is declared was seen to hold.
    Current,
    /// The credential was accepted.
    Accepted,
    /// The account is the one that was declared or first seen.
    Pinned,
    /// The vendor's connector was found and is the one that this object stands for.
    Adopted,
    /// Everything that is declared is so at the vendor.
    InSync,
    /// The vendor was seen to work with the authorization.
    Granted,
    /// Every requirement of the stage holds.
    Satisfied,
    /// The vendor shows nothing to a program; a person has said that it works, and that still counts.
    Attested,
    /// The account holds nothing that was given for a time only.
    NotElevated,
    /// No Connector refers to the policy: everything is judged, nothing is removed.
    NoConnectors,

    // --- someone's turn ---
    /// A person has to act: see `status.handOffs`.
    AwaitingPerson,
    /// A person has to act for the policy of this Connector: see the policy's `status.handOffs`.
    PolicyAwaitsPerson,
    /// A requirement fails, and nobody has allowed the operator to mend it: see `status.findings`.
    RequirementsNotMet,
    /// Not all could be seen: see the findings and conditions that are Unknown.
    NotObservable,
    /// The operator is writing, and will read back.
    Acting,
    /// Written, but not to be read back yet.
    Propagating,
    /// Nothing is checked while `spec.suspend` is true.
    Suspended,
    /// The first look has not ended yet.
    Pending,
    /// The authorization works, but somebody has to sign in again before it dies.
    ReauthenticationRequested,
    /// Somebody has signed in again, as they say; the vendor has not shown yet that it works.
    AwaitingEvidence,
    /// The account holds for a time what only a new sign-in needs: somebody is at it.
    WindowOpen,
    /// The time is over, and what was given for it is being taken back.
    WindowClosing,
    /// What was given for a time is still held though the time is over: see to it that it goes.
    ElevationOverdue,

    // --- the world outside ---
    /// The vendor says that the authorization is dead.
    AuthorizationRequired,
    /// The vendor has no such connector.
    NotFound,
    /// The vendor's connector is scheduled for deletion.
    Deleting,
    /// The connector is there, but the credential may not look into it.
    NotAccessible,
    /// No backup has ever finished.
    NoBackup,
    /// Something that is declared is otherwise at the vendor: see `status.drift`.
    Drifted,
    /// What a person attested is too old, or what it rests on has changed since.
    AttestationVoid,
    /// The last backup is older than `spec.backup.maxAge`.
    BackupTooOld,
    /// The other side did not answer, or asked to be left alone for a while; tried again by itself.
    Unreachable,

    // --- wrong until somebody changes something ---
    /// The object as stored can't be read by this version of the operator.
    Unreadable,
    /// Something that the spec refers to is not there (yet).
    DependencyMissing,
    /// The Secret is there, but not usable: a key is missing or empty, or the label is.
    SecretInvalid,
    /// The `ServiceAccount` is there, but not meant for the operator: the label is missing.
    ServiceAccountInvalid,
    /// The credential was refused.
    CredentialRefused,
    /// Microsoft knows no such tenant.
    TenantNotFound,
    /// The tenant has no such user.
    AccountNotFound,
    /// The account under this name is another one than before.
    AccountChanged,
    /// Another policy already acts on this account.
    AccountClaimed,
    /// The vendor account is not the one that the spec pins.
    AccountMismatch,
    /// The region or host is not one that is known or allowed.
    HostNotAllowed,
    /// The policy has no profile that fits.
    NoMatchingProfile,
    /// Another Connector already stands for this vendor connector.
    ConnectorClaimed,
    /// The vendor has a connector of the declared name, and `spec.adoption` says that none is to be taken.
    ConnectorExists,
    /// A connector may have been created at the vendor, and does not show: somebody has to look there.
    CreateUncertain,
    /// Many Connectors of one vendor account were deleted at once: each waits until somebody says that it is meant.
    DeletionHeld,
    /// More than one vendor connector has this name.
    Ambiguous,
    /// A named environment is not in the tenant, has no Dataverse, or is not within the policy's.
    EnvironmentNotFound,
    /// A part of the spec refers to nothing that the object has.
    InvalidSpec,
    /// An action is allowed by the spec, but no grant of the installation covers it.
    NotGranted,
    /// The operator made a mistake; please report it.
    InternalError,
}

impl Reason {
    /// The word in the status.
    #[must_use]
    pub fn word(self) -> String {
        format!("{self:?}")
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}
