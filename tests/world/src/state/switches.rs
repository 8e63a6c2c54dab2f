//! Which behaviours of the real services can be turned up, because the facts know more than one?

use serde::{Deserialize, Serialize};

use super::AvePointSwitches;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// `expires_in` of access tokens; examples show 3599 (microsoft.md §4.1).
    pub token_lifetime_seconds: i64,
    /// Rows per page at Graph.
    pub graph_page_size: usize,
    /// Environments per page at BAP; `None` means no paging (a next link is [M] in microsoft.md §2.2).
    pub bap_page_size: Option<usize>,
    /// Graph answers a duplicate role assignment with 400 `Request_BadRequest` or 409 `ConflictingObjects`: both were seen (microsoft.md §1.3).
    pub duplicate_assignment: u16,
    /// Microsoft writes permissions into the access token, so a grant reaches an app with its next token.
    /// `false` looks them up at every call instead.
    pub permissions_in_token: bool,
    /// Whether a role schedule that a group holds also shows under its members, with `memberType` Group
    /// (an open point of microsoft.md §7).
    pub group_schedules: GroupSchedules,
    /// What PIM's MFA rule means for an app, which has no second factor (an open point of microsoft.md §7).
    pub pim_mfa_of_apps: Rule,
    /// What PIM's approval rule means for an assignment by an administrator (an open point of microsoft.md §7).
    pub pim_approval: Approval,
    /// A role that is held shorter than this cannot be taken through PIM: `ActiveDurationTooShort` (microsoft.md §1.4 [P]).
    pub pim_shortest_seconds: i64,
    /// What addUser says where the user can't have a row (Developer, Teams): the facts know only that there will be none.
    pub add_user_in_vain: InVain,
    /// Longest path and query at Dataverse; how long exactly is [I], that there is a limit [P] (microsoft.md §3.4).
    pub dataverse_url_length: usize,
    /// What a privilege without record filter has as `RecordFilterId`: null, or the GUID of zeroes [I].
    pub record_filter_null: bool,
    /// When a connector gets its first backup: after so many reads of it; `None` means only by `finish-backup`.
    pub first_backup_after_reads: Option<u32>,
    pub limits: Limits,
    pub lag: LagSwitches,
    pub avepoint: AvePointSwitches,
}

/// How much may be asked; the defaults are the real numbers (microsoft.md §1.10, §3.5). The windows are real, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Resource units of Graph in 10 s for an app in a tenant; `None`: by the number of users.
    pub graph_units: Option<u32>,
    /// Writes at Graph in 150 s for an app in a tenant.
    pub graph_writes: u32,
    /// Requests about Conditional Access in a second, for all apps of a tenant together.
    pub conditional_access: u32,
    /// Requests for reports in 10 s for an app in a tenant.
    pub reports: u32,
    /// Requests of a user at Dataverse in 300 s.
    pub dataverse_requests: u32,
    /// `Retry-After` as an HTTP date, as any service may send it. It is a date of our clock, like the header `Date`.
    pub retry_after_as_date: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            graph_units: None,
            graph_writes: 3_000,
            conditional_access: 1,
            reports: 5,
            dataverse_requests: 6_000,
            retry_after_as_date: false,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSchedules {
    /// [I]: under the group, as plain role assignments do.
    #[default]
    OfGroup,
    /// [I]: under each member, too.
    OfMembers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// [I]
    #[default]
    Refused,
    /// [I]
    Ignored,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// [I]: 201 with status `PendingApproval`; a person approves.
    #[default]
    Pending,
    /// [I]: 400 naming `ApprovalRule`.
    Refused,
    /// [I]: approval is for those who activate a role themselves.
    Ignored,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InVain {
    /// [I]: 400.
    #[default]
    Refused,
    /// [I]: 200, and no row ever comes.
    Silent,
}

/// How many reads a write stays invisible.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LagSwitches {
    /// Reads of role assignments at Graph (microsoft.md §1.10 "replication lag").
    pub graph_reads: u32,
    /// Reads of a user at Graph after they were made that still say 404 (microsoft.md §1.10 [I]).
    pub fresh_principal_reads: u32,
    /// Role reads at Dataverse without `Consistency: Strong` (microsoft.md §0.12).
    pub dataverse_reads: u32,
    /// Reads of systemusers before the row of addUser or addAppUser is there (microsoft.md §2.3).
    pub new_row_reads: u32,
    /// addUser attempts that still answer userNotLicensed after a licence was assigned (microsoft.md §1.5).
    pub license_attempts: u32,
    /// Reads of systemusers in which islicensed is still false after a licence was assigned (microsoft.md §1.5).
    pub license_reads: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            token_lifetime_seconds: 3599,
            graph_page_size: 100,
            bap_page_size: None,
            duplicate_assignment: 400,
            permissions_in_token: true,
            group_schedules: GroupSchedules::default(),
            pim_mfa_of_apps: Rule::default(),
            pim_approval: Approval::default(),
            pim_shortest_seconds: 300,
            add_user_in_vain: InVain::default(),
            dataverse_url_length: 2048,
            record_filter_null: false,
            first_backup_after_reads: None,
            limits: Limits::default(),
            lag: LagSwitches::default(),
            avepoint: AvePointSwitches::default(),
        }
    }
}

/// How far a single write has come: reads left until it shows, and reads left until its removal shows.
#[derive(Clone, Debug, Default)]
pub struct Lag {
    appears_in: u32,
    /// `None` means it was not removed.
    vanishes_in: Option<u32>,
}

impl Lag {
    pub fn written(reads: u32) -> Self {
        Self { appears_in: reads, vanishes_in: None }
    }

    pub fn remove(&mut self, reads: u32) {
        self.vanishes_in = Some(reads);
    }

    /// It exists, whether or not everybody sees it yet.
    pub fn is_real(&self) -> bool {
        self.vanishes_in.is_none()
    }

    /// A reader sees it; a strong reader sees what is real.
    pub fn is_seen(&self, strong: bool) -> bool {
        if strong { self.is_real() } else { self.appears_in == 0 && self.vanishes_in != Some(0) }
    }

    /// One read has passed.
    pub fn tick(&mut self) {
        self.appears_in = self.appears_in.saturating_sub(1);
        self.vanishes_in = self.vanishes_in.map(|reads| reads.saturating_sub(1));
    }

    /// Nobody sees it any more.
    pub fn is_over(&self) -> bool {
        self.vanishes_in == Some(0)
    }
}
