//! Whether a license of a family is there (R6-R8 of facts/microsoft.md §5): by id, with a deciding plan switched on.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Judgement;
use crate::api::policy::FindingResult;
use crate::api::profiles::{LicenseFamily as Family, LookAt};
use crate::seen::Seen;
use crate::tenant::facts::{AccountFacts, License, PlanState, Subscribed, User};

/// A family as a policy asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which family.
    pub family: Family,
    /// SKU ids that count, too, in lower case: the spec's own.
    pub extra: Vec<String>,
    /// Where it is looked for.
    pub look_at: LookAt,
}

impl Wanted {
    /// A family as it is without a word in the spec: capacity packs belong to the tenant, all others to the account
    /// (facts/microsoft.md §0.7).
    #[must_use]
    pub fn usual(family: Family) -> Self {
        let look_at = if family == Family::PowerPages { LookAt::UserOrTenant } else { LookAt::User };
        Self { family, extra: Vec::new(), look_at }
    }
}

/// What a row of the table is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    /// A license of the family.
    Full,
    /// One that only exists on top of another.
    Attach,
    /// One that ends by itself.
    Trial,
    /// One that people take for a license of the family, and that is none.
    Near,
}

#[derive(Deserialize)]
struct Row {
    family: Family,
    grade: Grade,
    name: String,
    /// Empty: known by its plans only.
    sku: String,
    deciding_plans: String,
    /// Where the row is from.
    #[allow(dead_code)] // kept beside the row for who reads the table; the test holds every row to it
    source: String,
}

struct Sku {
    name: String,
    grade: Grade,
    /// Service plans of which one must work; none: the SKU alone counts.
    deciding_plans: Vec<String>,
}

#[derive(Default)]
struct Table {
    skus: HashMap<String, Sku>,
    /// Plans that only licenses of the family carry: a bundle that has one is a license of the family.
    plans: HashSet<String>,
    /// Plans that only near misses carry, with the name to say.
    near_plans: HashMap<String, String>,
}

/// Microsoft's list, cut down to what the vendors' pages name. Ids are matched, never names: those drift.
static TABLE: LazyLock<HashMap<Family, Table>> = LazyLock::new(|| {
    let mut families: HashMap<Family, Table> = HashMap::new();
    let mut reader = csv::Reader::from_reader(include_str!("licenses.csv").as_bytes());
    // A row that can't be read is caught by the test below; at run time it counts as absent.
    for row in reader.deserialize::<Row>().flatten() {
        let table = families.entry(row.family).or_default();
        let deciding_plans: Vec<String> =
            row.deciding_plans.split(';').filter(|plan| !plan.is_empty()).map(str::to_owned).collect();
        match row.grade {
            Grade::Near => {
                table.near_plans.extend(deciding_plans.iter().map(|plan| (plan.clone(), row.name.clone())));
            }
            _ => table.plans.extend(deciding_plans.iter().cloned()),
        }
        if !row.sku.is_empty() {
            table.skus.insert(row.sku, Sku { name: row.name, grade: row.grade, deciding_plans });
        }
    }
    families
});

/// The name of a license that people take for one of the family, and that is none.
#[must_use]
pub fn near_miss(family: Family, sku: &str) -> Option<&'static str> {
    let known = TABLE.get(&family)?.skus.get(&sku.to_ascii_lowercase())?;
    (known.grade == Grade::Near).then_some(known.name.as_str())
}

/// Judges the account, and the tenant where its having it is enough.
#[must_use]
pub fn judge(facts: &AccountFacts, wanted: &Wanted) -> Judgement {
    let of_user = match (&facts.user, wanted.look_at) {
        (_, LookAt::Tenant) => Found::No,
        (Seen::Unknown(fault), _) => return Judgement::unknown(fault),
        (Seen::Known(None), _) => return Judgement::fail("The tenant has no such user", "See account-usable"),
        (Seen::Known(Some(user)), _) => user_has(user, wanted),
    };
    if let Found::Yes(judgement) = of_user {
        return judgement;
    }
    if wanted.look_at != LookAt::User {
        match &facts.subscribed {
            Seen::Unknown(fault) => return Judgement::unknown(fault),
            Seen::Known(subscribed) => {
                if let Some(judgement) = tenant_has(subscribed, wanted) {
                    return judgement;
                }
            }
        }
    }
    let name = wanted.family.name();
    let assign = "Microsoft 365 admin center > Users > Active users > the account > Licenses and apps".to_owned();
    let nobody = match wanted.look_at {
        LookAt::User => format!("The account has no {name} license"),
        LookAt::Tenant => format!("The tenant has no {name} license"),
        LookAt::UserOrTenant => format!("Neither the account nor the tenant has a {name} license"),
    };
    let mend = match wanted.look_at {
        LookAt::User => format!("{assign}: assign a {name} license"),
        LookAt::Tenant => format!("Buy a {name} pack for the tenant"),
        LookAt::UserOrTenant => format!("Buy a {name} pack for the tenant, or assign a license to the account"),
    };
    match of_user {
        Found::SwitchedOff(sku) => Judgement::fail(
            format!("The account has {sku}, but the service plan that matters in it is switched off"),
            format!("{assign} > Apps: switch {name} on"),
        ),
        Found::Suspended(sku) => Judgement::fail(
            format!("The account has {sku}, but the subscription is suspended or has ended"),
            format!("Renew the subscription, or under {assign} assign another {name} license"),
        ),
        Found::InError(sku, group) => Judgement::fail(
            format!("A group assigns {sku} to the account, but Microsoft could not apply it ({group})"),
            "Microsoft Entra admin center > Groups > the group > Licenses: reprocess, once the cause is mended"
                .to_owned(),
        ),
        Found::Near(sku) => Judgement::fail(format!("{nobody}: it has {sku}, which is not one"), mend),
        Found::Yes(_) | Found::No => Judgement::fail(nobody, mend),
    }
}

enum Found {
    Yes(Judgement),
    SwitchedOff(String),
    Suspended(String),
    InError(String, String),
    Near(String),
    No,
}

impl Found {
    /// What is said when several licenses fall short: the one that is nearest to being right.
    fn worth(&self) -> u8 {
        match self {
            Self::No => 0,
            Self::Near(_) => 1,
            Self::InError(..) => 2,
            Self::Suspended(_) => 3,
            Self::SwitchedOff(_) => 4,
            Self::Yes(judgement) if judgement.result != FindingResult::Pass => 5,
            Self::Yes(_) => 6,
        }
    }

    fn or_better(self, other: Self) -> Self {
        if other.worth() > self.worth() { other } else { self }
    }
}

fn user_has(user: &User, wanted: &Wanted) -> Found {
    let Some(table) = TABLE.get(&wanted.family) else { return Found::No };
    let mut found = Found::No;
    for license in &user.licenses {
        if wanted.extra.contains(&license.sku) {
            return Found::Yes(Judgement::pass("The account has a license that spec.licenses names"));
        }
        if let Some(sku) = table.skus.get(&license.sku) {
            found = found.or_better(has(user, license, sku));
        }
    }
    // A license that a group assigns in vain is not among the assigned ones.
    for state in &user.license_states {
        if let (Some(error), Some(sku)) = (&state.error, table.skus.get(&state.sku))
            && sku.grade != Grade::Near
        {
            found = found.or_better(Found::InError(sku.name.clone(), error.clone()));
        }
    }
    if matches!(found, Found::Yes(_)) {
        return found;
    }
    // A bundle, or a product that is newer than the table, carries the plan under another SKU.
    let is = |id: &str, state| user.plans.iter().any(|plan| plan.state == state && plan.id == id);
    let works = |id: &str| is(id, PlanState::Enabled);
    if !table.plans.iter().any(|id| works(id)) && table.plans.iter().any(|id| is(id, PlanState::Warning)) {
        return found.or_better(Found::Yes(Judgement::warn(
            format!(
                "The account has a {} service plan whose subscription is in its grace period",
                wanted.family.name()
            ),
            "Renew the subscription before the grace period ends",
        )));
    }
    if table.plans.iter().any(|id| works(id)) {
        return Found::Yes(Judgement::pass(format!("The account has a {} service plan", wanted.family.name())));
    }
    let near = table.near_plans.iter().filter(|(id, _)| works(id)).map(|(_, name)| name).min();
    match near {
        Some(name) => found.or_better(Found::Near(name.clone())),
        None => found,
    }
}

/// What one assigned license is good for.
fn has(user: &User, license: &License, sku: &Sku) -> Found {
    let name = &sku.name;
    if sku.grade == Grade::Near {
        return Found::Near(name.clone());
    }
    let on: Vec<&String> = sku.deciding_plans.iter().filter(|plan| !license.disabled_plans.contains(plan)).collect();
    if on.is_empty() && !sku.deciding_plans.is_empty() {
        return Found::SwitchedOff(name.clone());
    }
    let state = |id: &&String| user.plans.iter().find(|plan| plan.id == **id).map(|plan| plan.state);
    let states: Vec<Option<PlanState>> = on.iter().map(state).collect();
    // A plan that is not listed (yet) does not speak against a license that is assigned.
    let enabled = states.is_empty() || states.iter().any(|state| matches!(state, None | Some(PlanState::Enabled)));
    if !enabled {
        return if states.contains(&Some(PlanState::Warning)) {
            Found::Yes(Judgement::warn(
                format!("The account has {name}, but the subscription is in its grace period"),
                "Renew the subscription before the grace period ends",
            ))
        } else {
            Found::Suspended(name.clone())
        };
    }
    Found::Yes(match sku.grade {
        Grade::Attach => Judgement::warn(
            format!("The account has {name}, which counts only on top of a license that it qualifies for"),
            "Make sure that the account has the license which it is attached to",
        ),
        Grade::Trial => Judgement::warn(
            format!("The account has {name}, which ends by itself"),
            "Assign a license that is not a trial before it ends",
        ),
        _ => Judgement::pass(format!("The account has {name}")),
    })
}

/// A pack that the tenant has.
fn tenant_has(subscribed: &[Subscribed], wanted: &Wanted) -> Option<Judgement> {
    let table = TABLE.get(&wanted.family)?;
    let usable = subscribed.iter().filter(|pack| pack.usable && pack.units > 0);
    let good = usable.filter_map(|pack| {
        if wanted.extra.contains(&pack.sku) {
            return Some(Judgement::pass("The tenant has a license that spec.licenses names"));
        }
        let sku = table.skus.get(&pack.sku).filter(|sku| sku.grade != Grade::Near)?;
        Some(match sku.grade {
            Grade::Trial => Judgement::warn(
                format!("The tenant has {}, which ends by itself", sku.name),
                "Buy a pack that is not a trial before it ends",
            ),
            _ => Judgement::pass(format!("The tenant has {}", sku.name)),
        })
    });
    good.min_by_key(|judgement| super::severity(judgement.result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{Fail, Pass, Unknown, Warn};
    use crate::fault::{Fault, Kind};
    use crate::policy::rules::{facts_for_tests, user_for_tests};
    use crate::tenant::facts::{LicenseState, Plan};

    const SALES: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
    const SALES_PLAN: &str = "2da8e897-7791-486b-b08f-cc63c8129df7";
    const MULTI_APP: &str = "6c75fb1b-61f2-42d0-b1b8-6492ca9ae159";
    const SALES_TRIAL: &str = "6ec92958-3cc1-49db-95bd-bc6b3798df71";
    const PAGES_PACK: &str = "debc9e58-f2d7-412c-a0b6-575608564228";
    const PAGES_INTERNAL: &str = "60bf28f9-2b70-4522-96f7-335f5e06c941";
    const AUTOMATE: &str = "eda1941c-3c4f-4995-b5eb-e85a42175ab9";
    const AUTOMATE_PER_USER: &str = "4a51bf65-409c-4a91-b845-1121b571cc9d";
    const PROJECT_1: &str = "beb6439c-caad-48d3-bf46-0c82871e12be";
    const PROJECT_5: &str = "09015f9f-377f-4538-bbb5-f75ceb09358a";
    const PROJECT_ONLINE: &str = "776df282-9fc0-4862-99e2-70e561b9909e";
    const PROJECT_READ_ONLY: &str = "31b4e2fc-4cd6-4e7d-9c1b-41407303bd66";

    fn facts(licenses: &[(&str, &[&str])], plans: &[(&str, PlanState)], packs: &[&str]) -> AccountFacts {
        let mut facts = facts_for_tests();
        let license = |(sku, off): &(&str, &[&str])| License {
            sku: (*sku).into(),
            disabled_plans: off.iter().map(|plan| (*plan).into()).collect(),
        };
        facts.user = Seen::Known(Some(User {
            licenses: licenses.iter().map(license).collect(),
            plans: plans.iter().map(|(id, state)| Plan { id: (*id).into(), state: *state }).collect(),
            ..user_for_tests()
        }));
        let pack = |sku: &&str| Subscribed { sku: (*sku).into(), usable: true, units: 1 };
        facts.subscribed = Seen::Known(packs.iter().map(pack).collect());
        facts
    }

    fn result(
        family: Family,
        licenses: &[(&str, &[&str])],
        plans: &[(&str, PlanState)],
        packs: &[&str],
    ) -> FindingResult {
        judge(&facts(licenses, plans, packs), &Wanted::usual(family)).result
    }

    #[test]
    fn every_row_of_the_table_can_be_read_and_names_its_source() {
        let mut reader = csv::Reader::from_reader(include_str!("licenses.csv").as_bytes());
        let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        assert!(rows.len() > 110);
        for row in rows {
            let plans: Vec<&str> = row.deciding_plans.split(';').filter(|plan| !plan.is_empty()).collect();
            assert!(row.sku.len() == 36 || (row.sku.is_empty() && !plans.is_empty()), "{}", row.name);
            assert!(row.sku == row.sku.to_lowercase(), "{}", row.name);
            assert!(plans.iter().all(|plan| plan.len() == 36 && **plan == plan.to_lowercase()), "{}", row.name);
            assert!(!row.source.is_empty(), "{}", row.name);
        }
    }

    #[test]
    fn a_license_counts_by_its_id_with_its_plan_switched_on() {
        use Family::{Dynamics365, PowerAutomatePremium};
        assert_eq!(result(Dynamics365, &[(SALES, &[])], &[], &[]), Pass);
        assert_eq!(result(Dynamics365, &[(SALES, &[SALES_PLAN])], &[], &[]), Fail);
        assert_eq!(result(Dynamics365, &[(SALES, &[])], &[(SALES_PLAN, PlanState::Warning)], &[]), Warn);
        assert_eq!(result(Dynamics365, &[(SALES, &[])], &[(SALES_PLAN, PlanState::Off)], &[]), Fail);
        assert_eq!(result(Dynamics365, &[("a-bundle", &[])], &[(SALES_PLAN, PlanState::Enabled)], &[]), Pass);
        assert_eq!(result(Dynamics365, &[(SALES_TRIAL, &[])], &[], &[]), Warn);
        // One of its apps is enough, whichever was switched off.
        assert_eq!(result(Dynamics365, &[(MULTI_APP, &[SALES_PLAN])], &[], &[]), Pass);
        assert_eq!(result(Dynamics365, &[(AUTOMATE, &[])], &[], &[]), Fail);
        assert_eq!(result(PowerAutomatePremium, &[(AUTOMATE, &[])], &[], &[]), Pass);
    }

    #[test]
    fn a_near_miss_is_named() {
        let said = |family, licenses: &[(&str, &[&str])], plans: &[(&str, PlanState)]| {
            let judged = judge(&facts(licenses, plans, &[]), &Wanted::usual(family));
            (judged.result, judged.message)
        };
        let (result, message) = said(Family::PowerAutomatePremium, &[(AUTOMATE_PER_USER, &[])], &[]);
        assert_eq!(result, Fail);
        assert!(message.contains("Power Automate per user plan, which is not one"), "{message}");
        let (result, message) = said(Family::PowerPages, &[], &[(PAGES_INTERNAL, PlanState::Enabled)]);
        assert_eq!((result, message.contains("internal users")), (Fail, true), "{message}");
        let (result, message) = said(Family::Project, &[], &[(PROJECT_READ_ONLY, PlanState::Enabled)]);
        assert_eq!((result, message.contains("read only")), (Fail, true), "{message}");
        assert_eq!(said(Family::Project, &[(PROJECT_ONLINE, &[])], &[]).0, Fail);
        assert_eq!(said(Family::Project, &[(PROJECT_1, &[])], &[]).0, Pass);
        assert_eq!(said(Family::Project, &[(PROJECT_5, &[])], &[]).0, Pass, "known by its SKU alone");
        let (_, message) = said(Family::Dynamics365, &[(SALES, &[SALES_PLAN])], &[]);
        assert!(message.contains("switched off"), "{message}");
    }

    #[test]
    fn a_license_that_a_group_assigns_in_vain_says_so() {
        let mut facts = facts(&[], &[], &[]);
        let state = LicenseState { sku: SALES.into(), error: Some("CountViolation".into()) };
        facts.user = Seen::Known(Some(User { license_states: vec![state], ..user_for_tests() }));
        let judged = judge(&facts, &Wanted::usual(Family::Dynamics365));
        assert_eq!((judged.result, judged.message.contains("CountViolation")), (Fail, true), "{}", judged.message);
    }

    #[test]
    fn the_spec_decides_where_to_look_and_what_counts_too() {
        let own = "00000000-0000-4000-8000-000000000001";
        let wanted = |look_at, extra: &[&str]| Wanted {
            family: Family::Dynamics365,
            extra: extra.iter().map(|sku| (*sku).to_owned()).collect(),
            look_at,
        };
        let of_user = facts(&[(own, &[])], &[], &[]);
        assert_eq!(judge(&of_user, &wanted(LookAt::User, &[])).result, Fail);
        assert_eq!(judge(&of_user, &wanted(LookAt::User, &[own])).result, Pass);
        let of_tenant = facts(&[], &[], &[SALES]);
        assert_eq!(judge(&of_tenant, &wanted(LookAt::User, &[])).result, Fail);
        assert_eq!(judge(&of_tenant, &wanted(LookAt::Tenant, &[])).result, Pass);
        assert_eq!(judge(&of_tenant, &wanted(LookAt::UserOrTenant, &[])).result, Pass);
    }

    #[test]
    fn a_pack_of_the_tenant_counts_for_power_pages_only() {
        assert_eq!(result(Family::PowerPages, &[], &[], &[PAGES_PACK]), Pass);
        assert_eq!(result(Family::PowerPages, &[(PAGES_PACK, &[])], &[], &[]), Pass);
        assert_eq!(result(Family::PowerPages, &[], &[], &[]), Fail);
        assert_eq!(result(Family::Dynamics365, &[], &[], &[SALES]), Fail);
        let mut unseen = facts(&[], &[], &[]);
        unseen.subscribed = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(judge(&unseen, &Wanted::usual(Family::PowerPages)).result, Unknown);
    }
}
