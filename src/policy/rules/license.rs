//! Whether a license of a family is there (R6, R7 of facts/microsoft.md §5): by id, with its deciding plan switched on.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::Judgement;
use crate::seen::Seen;
use crate::tenant::facts::{AccountFacts, PlanState, User};

/// Licenses that serve the same purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Family {
    /// A Dynamics 365 plan or app.
    Dynamics365,
    /// Power Pages, authenticated or anonymous: bought as packs by the tenant, seldom assigned to anybody.
    PowerPages,
    /// Power Automate Premium.
    PowerAutomatePremium,
}

impl Family {
    /// As Microsoft's pages write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dynamics365 => "Dynamics 365",
            Self::PowerPages => "Power Pages",
            Self::PowerAutomatePremium => "Power Automate Premium",
        }
    }

    /// Whether the tenant having it is enough (facts/microsoft.md §0.7).
    fn counts_for_tenant(self) -> bool {
        self == Self::PowerPages
    }
}

#[derive(Deserialize)]
struct Row {
    family: Family,
    name: String,
    sku: String,
    deciding_plan: String,
    /// Where the row is from.
    #[allow(dead_code)] // kept beside the row for who reads the table; the test holds every row to it
    source: String,
}

struct Sku {
    name: String,
    deciding_plan: Option<String>,
}

#[derive(Default)]
struct Table {
    skus: HashMap<String, Sku>,
    plans: HashSet<String>,
}

/// Microsoft's list, cut down to what the vendors' pages name. Ids are matched, never names: those drift.
static TABLE: LazyLock<HashMap<Family, Table>> = LazyLock::new(|| {
    let mut families: HashMap<Family, Table> = HashMap::new();
    let mut reader = csv::Reader::from_reader(include_str!("licenses.csv").as_bytes());
    // A row that can't be read is caught by the test below; at run time it counts as absent.
    for row in reader.deserialize::<Row>().flatten() {
        let table = families.entry(row.family).or_default();
        let deciding_plan = Some(row.deciding_plan).filter(|plan| !plan.is_empty());
        table.plans.extend(deciding_plan.clone());
        table.skus.insert(row.sku, Sku { name: row.name, deciding_plan });
    }
    families
});

/// Judges the account, and the tenant where its having it is enough.
#[must_use]
pub fn judge(facts: &AccountFacts, family: Family) -> Judgement {
    let user = match &facts.user {
        Seen::Unknown(fault) => return Judgement::unknown(fault),
        Seen::Known(None) => return Judgement::fail("The tenant has no such user", "See account-usable"),
        Seen::Known(Some(user)) => user,
    };
    let of_user = user_has(user, family);
    if let Found::Yes(judgement) = of_user {
        return judgement;
    }
    if family.counts_for_tenant() {
        match &facts.subscribed {
            Seen::Unknown(fault) => return Judgement::unknown(fault),
            Seen::Known(subscribed) => {
                let pack = subscribed.iter().find(|sku| {
                    sku.usable
                        && sku.units > 0
                        && TABLE.get(&family).is_some_and(|table| table.skus.contains_key(&sku.sku))
                });
                if let Some(name) = pack.and_then(|sku| Some(&TABLE.get(&family)?.skus.get(&sku.sku)?.name)) {
                    return Judgement::pass(format!("The tenant has {name}"));
                }
            }
        }
    }
    let name = family.name();
    let whose =
        if family.counts_for_tenant() { "Neither the account nor the tenant has" } else { "The account has no" };
    let remedy = format!(
        "Microsoft 365 admin center > Users > Active users > the account > Licenses and apps: assign a {name} license"
    );
    match of_user {
        Found::SwitchedOff(sku) => Judgement::fail(
            format!("The account has {sku}, but the service plan that matters in it is switched off"),
            format!(
                "Microsoft 365 admin center > Users > Active users > the account > Licenses and apps > Apps: switch {name} on"
            ),
        ),
        Found::Yes(_) | Found::No if family.counts_for_tenant() => Judgement::fail(
            format!("{whose} a {name} license"),
            format!("Buy a {name} pack for the tenant, or assign a license to the account"),
        ),
        Found::Yes(_) | Found::No => Judgement::fail(format!("{whose} {name} license"), remedy),
    }
}

enum Found {
    Yes(Judgement),
    SwitchedOff(String),
    No,
}

fn user_has(user: &User, family: Family) -> Found {
    let Some(table) = TABLE.get(&family) else { return Found::No };
    let name = family.name();
    let mut found = Found::No;
    for license in &user.licenses {
        let Some(sku) = table.skus.get(&license.sku) else { continue };
        if sku.deciding_plan.as_ref().is_some_and(|plan| license.disabled_plans.contains(plan)) {
            found = Found::SwitchedOff(sku.name.clone());
            continue;
        }
        let state = sku
            .deciding_plan
            .as_ref()
            .and_then(|id| user.plans.iter().find(|plan| plan.id == *id))
            .map(|plan| plan.state);
        match state {
            Some(PlanState::Warning) => {
                return Found::Yes(Judgement::warn(
                    format!("The account has {}, but the subscription is in its grace period", sku.name),
                    "Renew the subscription before the grace period ends",
                ));
            }
            Some(PlanState::Off) => found = Found::SwitchedOff(sku.name.clone()),
            // A plan that is not listed (yet) does not speak against a license that is assigned.
            Some(PlanState::Enabled) | None => {
                return Found::Yes(Judgement::pass(format!("The account has {}", sku.name)));
            }
        }
    }
    // A bundle, or a product that is newer than the table, carries the plan under another SKU.
    if user.plans.iter().any(|plan| plan.state == PlanState::Enabled && table.plans.contains(&plan.id)) {
        return Found::Yes(Judgement::pass(format!("The account has a {name} service plan")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::policy::FindingResult::{self, Fail, Pass, Unknown, Warn};
    use crate::fault::{Fault, Kind};
    use crate::tenant::facts::{License, Plan, Subscribed};

    const SALES: &str = "1e1a282c-9c54-43a2-9310-98ef728faace";
    const SALES_PLAN: &str = "2da8e897-7791-486b-b08f-cc63c8129df7";
    const PAGES_PACK: &str = "debc9e58-f2d7-412c-a0b6-575608564228";
    const AUTOMATE: &str = "eda1941c-3c4f-4995-b5eb-e85a42175ab9";
    const AUTOMATE_PER_USER: &str = "4a51bf65-409c-4a91-b845-1121b571cc9d";

    fn facts(licenses: &[(&str, &[&str])], plans: &[(&str, PlanState)], subscribed: Seen<Vec<&str>>) -> AccountFacts {
        let unknown = || Fault::new(Kind::Bug, "not asked");
        AccountFacts {
            user: Seen::Known(Some(User {
                id: "u".into(),
                principal_name: "u@x".into(),
                enabled: true,
                guest: false,
                licenses: licenses
                    .iter()
                    .map(|(sku, off)| License {
                        sku: (*sku).into(),
                        disabled_plans: off.iter().map(|plan| (*plan).into()).collect(),
                    })
                    .collect(),
                plans: plans.iter().map(|(id, state)| Plan { id: (*id).into(), state: *state }).collect(),
            })),
            roles: Seen::Unknown(unknown()),
            another_global_administrator: Seen::Unknown(unknown()),
            subscribed: subscribed.map(|skus| {
                skus.iter()
                    .map(|sku| Subscribed { sku: (*sku).into(), plans: Vec::new(), usable: true, units: 1 })
                    .collect()
            }),
            environments: Seen::Unknown(unknown()),
        }
    }

    fn result(
        family: Family,
        licenses: &[(&str, &[&str])],
        plans: &[(&str, PlanState)],
        packs: &[&str],
    ) -> FindingResult {
        judge(&facts(licenses, plans, Seen::Known(packs.to_vec())), family).result
    }

    #[test]
    fn every_row_of_the_table_can_be_read_and_names_its_source() {
        let mut reader = csv::Reader::from_reader(include_str!("licenses.csv").as_bytes());
        let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
        assert!(rows.len() > 80);
        for row in rows {
            assert!(row.sku.len() == 36 && row.sku == row.sku.to_lowercase(), "{}", row.name);
            assert!(matches!(row.deciding_plan.len(), 0 | 36), "{}", row.name);
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
        assert_eq!(result(Dynamics365, &[(AUTOMATE, &[])], &[], &[]), Fail);
        assert_eq!(result(PowerAutomatePremium, &[(AUTOMATE, &[])], &[], &[]), Pass);
        assert_eq!(result(PowerAutomatePremium, &[(AUTOMATE_PER_USER, &[])], &[], &[]), Fail);
    }

    #[test]
    fn a_pack_of_the_tenant_counts_for_power_pages_only() {
        assert_eq!(result(Family::PowerPages, &[], &[], &[PAGES_PACK]), Pass);
        assert_eq!(result(Family::PowerPages, &[(PAGES_PACK, &[])], &[], &[]), Pass);
        assert_eq!(result(Family::PowerPages, &[], &[], &[]), Fail);
        assert_eq!(result(Family::Dynamics365, &[], &[], &[SALES]), Fail);
        let unseen = Seen::Unknown(Fault::new(Kind::PermissionMissing, "no"));
        assert_eq!(judge(&facts(&[], &[], unseen), Family::PowerPages).result, Unknown);
    }
}
