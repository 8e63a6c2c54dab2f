//! What has happened, in one word: the reasons of Events, beside those of Ready.

use std::fmt;

macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $name:ident,)+) => {
        /// The reason of an Event that tells of a thing that was done, or that has come about. People and pipelines match on
        /// these words: they are never renamed, only added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Happened {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Happened {
            /// Each with its meaning, in order.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($meaning),+)),)+];
        }
    };
}

reasons! {
    /// A person is asked for something: Warning, with who and what.
    HandOffOpened,
    /// The vendor's audit shows that a person has begun with what was asked for.
    HandOffUnderWay,
    /// What a person was asked for is done, or needed no longer.
    HandOffDone,
    /// The vendor's connector was found, and is followed by its id from now on.
    Adopted,
    /// A connector was created at the vendor.
    Created,
    /// What differs at the vendor was written as it is declared.
    Corrected,
    /// A user was let into the connector at the vendor.
    AccessGranted,
    /// A backup was started.
    BackupStarted,
    /// The vendor shows a newer backup.
    BackupFinished,
    /// The vendor shows that a backup has failed: Warning.
    BackupFailed,
    /// A limit of the vendor's account is exceeded: Warning.
    LimitExceeded,
    /// The connector was deleted at the vendor, as `spec.deletionPolicy` says.
    Deleted,
    /// The object goes, and the connector stays at the vendor although it should have been deleted: Warning, with why.
    Retained,
    /// The operator's app was made a user of an environment.
    AppEnrolled,
    /// The account was added to an environment.
    AccountAdded,
    /// The access mode was set to Read-Write.
    AccessModeSet,
    /// System Administrator was assigned in an environment.
    SecurityRoleAssigned,
    /// A directory role was assigned.
    RoleAssigned,
    /// A directory role was removed.
    RoleRemoved,
    /// A step failed: Warning, with why. It is tried again, but for the creation of a connector.
    StepFailed,
    /// Somebody has begun to sign in again.
    ReauthenticationBegun,
    /// Something keeps who signs in again from going on: Warning.
    ReauthenticationHindered,
    /// Somebody says that they have signed in again; the vendor has not shown yet that it works.
    AwaitingEvidence,
    /// The authorization was seen to work after a new sign-in.
    Reauthenticated,
    /// A window of elevation could not be begun: Warning, with the next opening.
    WindowRefused,
    /// A window of elevation is open: the account holds what a new sign-in needs.
    WindowOpened,
    /// A window ends, and what was given is being taken back.
    WindowClosing,
    /// A window is over. As a Warning: somebody else has given the role for good, so that it stays.
    WindowClosed,
    /// What was given for a window is held though it is over: Warning, again every ten minutes.
    ElevationOverdue,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
