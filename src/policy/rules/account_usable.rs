//! Whether the account is there and can sign in (R15 of facts/microsoft.md §5).

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::facts::AccountFacts;

pub fn judge(facts: &AccountFacts) -> Judgement {
    match &facts.user {
        Seen::Unknown(fault) => Judgement::unknown(fault),
        Seen::Known(None) => Judgement::fail(
            "The tenant has no such user",
            "Create the user, or correct spec.account.user.principalName in a new policy",
        ),
        Seen::Known(Some(user)) if !user.enabled => Judgement::fail(
            "Sign-in is blocked for the account",
            "Microsoft 365 admin center > Users > Active users > the account: Unblock sign-in",
        ),
        Seen::Known(Some(user)) if user.guest => Judgement::fail(
            "The account is a guest of the tenant",
            "Use an account of this tenant: a guest's own licenses don't count here",
        ),
        Seen::Known(Some(_)) => Judgement::pass("The account is a member of the tenant and can sign in"),
    }
}
