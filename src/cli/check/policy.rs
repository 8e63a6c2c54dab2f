//! What a policy says by itself that the operator would not go by: hours, licenses and waivers.

use jiff::Timestamp;

use super::form::Wrong;
use super::schema::meant;
use crate::api::ServiceAccountPolicy;
use crate::api::profiles::{LicenseFamily, Waiver};
use crate::cli::yaml::Step;
use crate::policy::profiles::{Requirement, requirements};
use crate::policy::rules::Rule;
use crate::policy::rules::license::near_miss;
use crate::policy::{in_vain, opening};

/// What is wrong with it. `true`: only worth knowing.
pub fn judge(policy: &ServiceAccountPolicy) -> Vec<(Wrong, bool)> {
    let hours = policy.spec.elevation.as_ref().and_then(|elevation| elevation.hours.as_ref());
    let mistake = hours.and_then(|hours| opening(hours, Timestamp::now()).err());
    let path = ["spec", "elevation", "hours", "timeZone"];
    let mut found: Vec<_> = mistake.into_iter().map(|message| (Wrong::at(&path, message), false)).collect();
    let requirements = requirements(&policy.spec);
    found.extend(licenses(policy, &requirements));
    found.extend(waivers(policy, &requirements));
    found
}

/// Waivers for what this policy never finds: the operator goes no further then.
fn waivers(policy: &ServiceAccountPolicy, requirements: &[Requirement]) -> Vec<(Wrong, bool)> {
    let findings: Vec<String> = requirements.iter().map(Requirement::id).collect();
    let told = |(number, waiver): (usize, &Waiver)| {
        let near = meant(&waiver.finding, findings.iter().map(String::as_str));
        let message = format!(
            "{} is no finding of this policy{near}; docs/profiles.md names those of each profile",
            waiver.finding
        );
        let mut wrong = Wrong::at(&["spec", "waivers"], message);
        wrong.path.extend([Step::Item(number), Step::Field("finding".to_owned())]);
        (wrong, false)
    };
    in_vain(&policy.spec.waivers, &findings).into_iter().map(told).collect()
}

/// Licenses of the spec's own that satisfy no vendor, and those that nobody asks for.
fn licenses(policy: &ServiceAccountPolicy, requirements: &[Requirement]) -> Vec<(Wrong, bool)> {
    let asked: Vec<LicenseFamily> = requirements
        .iter()
        .filter_map(|it| match &it.rule {
            Rule::License(wanted) => Some(wanted.family),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    let families = policy.spec.licenses.iter().flat_map(|it| &it.families);
    for (number, choice) in families.enumerate() {
        let mut told = |below: &[Step], message: String| {
            let mut wrong = Wrong::at(&["spec", "licenses", "families"], message);
            wrong.path.push(Step::Item(number));
            wrong.path.extend_from_slice(below);
            found.push((wrong, true));
        };
        if !asked.contains(&choice.name) {
            told(&[], format!("no profile of this policy asks for a {} license", choice.name.name()));
        }
        for (number, sku) in choice.extra_sku_ids.iter().enumerate() {
            if let Some(name) = near_miss(choice.name, sku) {
                let message = format!("{sku} is {name}, which is no {} license for the vendor", choice.name.name());
                told(&[Step::Field("extraSKUIDs".to_owned()), Step::Item(number)], message);
            }
        }
    }
    found
}

/// A policy that nothing is wrong with.
#[cfg(test)]
pub const POLICY_FOR_TESTS: &str = "apiVersion: backstay.dev/v1alpha1
kind: ServiceAccountPolicy
metadata: { name: p }
spec:
  tenant: { id: contoso.com }
  credential:
    workloadIdentity:
      clientID: c0ffee00-1111-4222-8333-444455556666
      serviceAccountRef: { name: entra }
  account: { user: { principalName: u@contoso.com } }
  profiles:
    keepitDynamicsCE: {}
    custom: { rules: [{ id: mine, check: { noMfa: {} } }] }
";

#[cfg(test)]
mod tests {
    use super::POLICY_FOR_TESTS as POLICY;
    use crate::cli::check::told_for_tests as told;

    #[test]
    fn a_waiver_for_what_the_policy_never_finds_is_wrong() {
        let waived = |id: &str| told(&[&format!("{POLICY}  waivers:\n    - reason: all fine\n      finding: {id}\n")]);
        for fine in ["keepitDynamicsCE/global-administrator", "custom/mine"] {
            assert_eq!(waived(fine), [""; 0], "{fine}");
        }
        let end = "is no finding of this policy; docs/profiles.md names those of each profile";
        for bad in ["nope/none", "custom/theirs", "keepitPowerPlatform/no-global-administrator"] {
            assert_eq!(waived(bad), [format!("0.yaml:16:7: Error: spec.waivers[0].finding: {bad} {end}")]);
        }
        let near = waived("custom/mime").join("\n");
        assert!(near.contains("custom/mime is no finding of this policy, did you mean custom/mine?;"), "{near}");
    }
}
