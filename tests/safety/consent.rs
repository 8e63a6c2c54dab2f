//! Nothing is written outside the cluster unless the spec allows it and the installation grants it.

use serde_json::{Value, json};

use crate::harness::calls::{ACCOUNT_ID, APP, TENANT, contoso, held, replaced, side_by_side};
use crate::harness::{GLOBAL_ADMINISTRATOR, POLICY, Scene};
use crate::scene_of;

const ALLOWED: &str = "allowedActions: [DirectoryRoles, SecurityRoles, SelfEnrollment]";

/// How a case differs from the example.
struct Case {
    /// `spec.allowedActions`.
    allowed: &'static str,
    grants: fn(&Scene) -> String,
    arguments: &'static [&'static str],
    /// The word that the plan shows for every step.
    word: &'static str,
    /// Whether the operator's app is a user of the environments already.
    enrolled: bool,
}

impl Case {
    fn new(word: &'static str) -> Self {
        Self { allowed: ALLOWED, grants: Scene::grants, arguments: &[], word, enrolled: false }
    }
}

fn granted(namespace: &str, tenant: &str, account: &str, actions: &str) -> String {
    format!("[{{ namespace: {namespace}, tenantID: {tenant}, accounts: [{account}], actions: {actions} }}]")
}

const EVERYTHING: &str = "[DirectoryRoles, SecurityRoles, SelfEnrollment]";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_word_in_the_spec_nothing_is_ever_written_and_people_are_told_what_to_do() {
    side_by_side(vec![
        ("nothing allowed", stays_out(Case { allowed: "allowedActions: []", ..Case::new("NotAllowed") })),
        (
            "nothing allowed, but everything seen",
            stays_out(Case { allowed: "allowedActions: []", enrolled: true, ..Case::new("NotAllowed") }),
        ),
        ("nothing said", stays_out(Case { allowed: "suspend: false", enrolled: true, ..Case::new("NotAllowed") })),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_for_this_namespace_tenant_account_and_action_nothing_is_ever_written() {
    let enrolled = || Case { enrolled: true, ..Case::new("NotGranted") };
    side_by_side(vec![
        ("no grant", stays_out(Case { grants: |_| "[]".into(), ..Case::new("NotGranted") })),
        (
            "another namespace",
            stays_out(Case { grants: |_| granted("elsewhere", TENANT, ACCOUNT_ID, EVERYTHING), ..enrolled() }),
        ),
        (
            "another tenant",
            stays_out(Case {
                grants: |scene| {
                    granted(&scene.namespace, "00000000-8d0b-4b5e-9a53-0c6a3f1d2e01", ACCOUNT_ID, EVERYTHING)
                },
                ..enrolled()
            }),
        ),
        (
            "another account",
            stays_out(Case {
                grants: |scene| granted(&scene.namespace, TENANT, "5e4d3c2b-1a09-4f8e-8d7c-6b5a49382716", EVERYTHING),
                ..enrolled()
            }),
        ),
        (
            "another action",
            stays_out(Case {
                grants: |scene| granted(&scene.namespace, TENANT, ACCOUNT_ID, "[SelfEnrollment]"),
                ..enrolled()
            }),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_operator_never_writes_whatever_is_allowed_and_granted() {
    let case = || Case { arguments: &["--read-only"], ..Case::new("ReadOnly") };
    side_by_side(vec![
        ("nothing seen", stays_out(case())),
        ("everything seen", stays_out(Case { enrolled: true, ..case() })),
    ])
    .await;
}

async fn stays_out(case: Case) {
    let world = contoso(|world| {
        for environment in world["tenants"][0]["environments"].as_array_mut().unwrap().iter_mut().take(3) {
            if case.enrolled {
                let app = json!({ "application": APP, "roles": ["System Administrator"], "access_mode": 4 });
                environment["users"].as_array_mut().unwrap().push(app);
            }
        }
    });
    let scene = scene_of(&world).await;
    let _operator = scene.operator_with(&(case.grants)(&scene), case.arguments).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&replaced(&scene.policy_yaml(), ALLOWED, case.allowed)).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    scene.play_the_person();
    scene.until_connector("Authorized", "True", "Granted").await;

    let steps: &[&str] = if case.enrolled {
        &["AddDirectoryRole", "AddSystemAdministrator", "RemoveDirectoryRole"]
    } else {
        &["EnrollSelf", "AddDirectoryRole", "RemoveDirectoryRole"]
    };
    let hand_offs: &[&str] =
        if case.enrolled { &["directory-roles", "environment-access"] } else { &["enroll-app", "directory-roles"] };
    let told = |policy: &Value| {
        let plan = policy["status"]["plan"].as_array().cloned().unwrap_or_default();
        let open = policy["status"]["handOffs"].as_array().cloned().unwrap_or_default();
        steps.iter().all(|step| plan.iter().any(|planned| planned["step"] == *step))
            && plan.iter().all(|planned| {
                // Nobody is to remove it while the rest is not as it should be, whoever is allowed to.
                let waits = planned["step"] == "RemoveDirectoryRole" && planned["allowed"] == "NotYet";
                waits || planned["allowed"] == case.word
            })
            && hand_offs.iter().all(|name| {
                open.iter()
                    .any(|it| it["name"] == *name && it["steps"].as_array().is_some_and(|steps| !steps.is_empty()))
            })
    };
    let what = format!("a plan of {steps:?} that is {} and hand-offs {hand_offs:?}", case.word);
    scene.until(&what, "ServiceAccountPolicy", POLICY, told).await;
    scene.until_more_reads(3).await;

    assert_eq!(scene.written(), Vec::<String>::new());
    assert_eq!(held(&scene.world), ["Dynamics 365 Administrator", GLOBAL_ADMINISTRATOR]);
    assert!(told(&scene.policy().await), "{}", scene.policy().await["status"]);
}
