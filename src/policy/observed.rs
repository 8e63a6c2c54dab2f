//! What a policy's pass goes by: what was seen of the account, of the Connectors, and of other policies for it. [pure]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::asking::Asking;
use super::demands::Demand;
use crate::api::Action;
use crate::elevation::Entry;
use crate::runtime::Problem;
use crate::runtime::expiring::Ends;
use crate::tenant::facts::AccountFacts;
use crate::tenant::{Caller, DirectoryRole, Tenant};

/// What was seen.
#[allow(clippy::struct_excessive_bools)] // each a fact of its own, none implies another
pub struct Observed {
    /// When.
    pub now: Timestamp,
    /// How old what was seen of the account may be; zero: all of it was read for this look.
    pub age: Duration,
    /// The Connectors that refer to the policy.
    pub connectors: Vec<Asking>,
    /// Connectors of other policies for the same account: they are answered there, but need the same account.
    pub elsewhere: Vec<Asking>,
    /// Directory roles that those need now, whatever this policy's profiles want: one out of each of these.
    pub needed_elsewhere: Vec<Vec<DirectoryRole>>,
    /// Whether those policies themselves found all that holds up without Global Administrator.
    pub elsewhere_holds: Elsewhere,
    /// Whether an object that can't be read may refer to the account, too.
    pub obscured: bool,
    /// Another policy that acts on the same account, and came first.
    pub rival: Option<String>,
    /// What the installation grants to this policy's namespace for its account, among what the spec allows.
    pub granted: BTreeSet<Action>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Steps that Microsoft has refused for so long that time alone won't mend it.
    pub overdue: BTreeSet<String>,
    /// The last window of the account, as it is written in the ledger.
    pub window: Option<Entry>,
    /// Whether the ledger can't be read, so that nobody knows.
    pub unread: bool,
    /// When what the operator signs in with ends, if anything says so.
    pub credential_ends: Option<Ends>,
    /// When the last credential of an account that is an app ends, if its directory tells.
    pub app_credential_ends: Option<Timestamp>,
    /// Who the operator is there.
    pub caller: Caller,
    /// The tenant, for whoever acts; `None`: it can't be signed in to.
    pub tenant: Option<Arc<Tenant>>,
    /// What is known of the account there.
    pub account: Result<AccountFacts, Problem>,
    /// What `spec.environments` names in vain.
    pub selection: Result<(), Problem>,
}

impl Observed {
    /// What is asked of the policy.
    pub fn demands(&self) -> impl Iterator<Item = &Demand> {
        self.connectors.iter().filter_map(|asking| asking.demand.as_ref())
    }

    /// Whether a Connector was just changed, and has not said yet what it needs now.
    pub fn in_between(&self) -> bool {
        self.connectors.iter().any(|asking| asking.changing && !asking.asleep)
    }
}

/// Whether other policies have found that the account has, without Global Administrator, all that is asked of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Elsewhere {
    /// They have, or there are none.
    Holds,
    /// What one of them says is not what this process has just seen.
    NotSeen,
    /// One of them lacks something, or can't tell.
    Lacks,
}
