//! How a directory role is taken from an account: one at a time, and never the last one that could put things right.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Context;
use crate::elevation::entry::Given;
use crate::fault::{Fault, Kind};
use crate::tenant::Tenant;

/// So long a role that was removed may still show as held (facts/microsoft.md: the directory settles within minutes).
const REMOVED_FOR: Duration = Duration::from_mins(10);

impl Context {
    /// Removes a role, if at the last look somebody else remains who could put things right.
    ///
    /// One removal at a time in the whole process, and those of the last minutes count as gone: of two last administrators each
    /// would count the other, and the directory may show for a while what was removed a moment ago.
    ///
    /// # Errors
    /// Nobody else remains, or as Microsoft says.
    pub async fn take_away(
        &self,
        account: &str,
        tenant: &Tenant,
        removal: impl Future<Output = Result<(), Fault>>,
    ) -> Result<(), Fault> {
        let _one_at_a_time = self.removals.lock().await;
        let beside = self.passing(account);
        if !tenant.another_global_administrator_beside(&beside).await? {
            return Err(Fault::new(
                Kind::BadAnswer,
                "at the last look no other Global Administrator that can sign in was seen to remain",
            ));
        }
        // Before the call: what became of one without an answer is not known.
        self.goes(account);
        removal.await
    }

    /// An account, and those that hold the role for a time, or no longer: none of them counts as who could put things right.
    pub fn passing(&self, account: &str) -> Vec<String> {
        let gone: Vec<String> = self.removed().iter().map(|(id, _)| id.clone()).collect();
        let given = self.ledger.standing().into_iter().filter(|entry| entry.given != Given::HeldBefore);
        let mut all: Vec<String> = gone.into_iter().chain(given.map(|entry| entry.account)).collect();
        all.push(account.to_owned());
        all.sort();
        all.dedup();
        all
    }

    /// Notes that an account is about to hold a role no more: nobody counts it from now on.
    pub fn goes(&self, account: &str) {
        let mut removed = self.removed();
        removed.retain(|(id, _)| id != account);
        removed.push((account.to_owned(), Instant::now()));
    }

    fn removed(&self) -> MutexGuard<'_, Vec<(String, Instant)>> {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.retain(|(_, at)| at.elapsed() < REMOVED_FOR);
        removed
    }
}
