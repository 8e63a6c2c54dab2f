//! Whether the password is still the one with which the vendor was authorized: a change ends what was granted with the old one.

use jiff::Timestamp;

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::facts::AccountFacts;

pub fn judge(facts: &AccountFacts, authorized: Option<Timestamp>) -> Judgement {
    let Some(authorized) = authorized else {
        return Judgement::not_applicable("No Connector says when it was authorized");
    };
    match &facts.user {
        Seen::Unknown(fault) => Judgement::unknown(fault),
        Seen::Known(None) => Judgement::not_applicable("The tenant has no such user"),
        Seen::Known(Some(user)) => match user.password_changed {
            None => Judgement::not_applicable("Microsoft does not say when the password was changed"),
            Some(changed) if changed > authorized => Judgement::warn(
                "The password was changed after the operator first saw the vendor authorized: what was granted then may end",
                "Sign in again at the vendor as the account, before a backup fails",
            ),
            Some(_) => {
                Judgement::pass("The password was not changed since the operator first saw the vendor authorized")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{NotApplicable, Pass, Warn};
    use crate::policy::rules::{facts_for_tests, user_for_tests};

    #[test]
    fn a_password_that_is_newer_than_the_authorization_is_a_warning() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let mut facts = facts_for_tests();
        let judged = |facts: &AccountFacts, authorized| judge(facts, authorized).result;
        let user = user_for_tests();
        facts.user = Seen::Known(Some(crate::tenant::facts::User { password_changed: at(5), ..user }));
        assert_eq!(judged(&facts, at(6)), Pass);
        assert_eq!(judged(&facts, at(4)), Warn);
        assert_eq!(judged(&facts, None), NotApplicable);
    }
}
