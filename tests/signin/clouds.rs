//! Tenants of every cloud of Microsoft, and environments that are not of their tenant's.

use serde_json::{Value, json};

use super::harness::calls::{contoso, replaced, settled, side_by_side};
use super::harness::{Scene, finding, is};

const TENANT: &str = "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01";

/// A cloud as facts/microsoft.md §1.11 has it: its word, login, Graph, BAP, resource of BAP tokens, suffix of environments.
type Cloud = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const CLOUDS: [Cloud; 4] = [
    (
        "GCC",
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "gov.api.bap.microsoft.us",
        "https://service.powerapps.us",
        "crm9.dynamics.com",
    ),
    (
        "GCCHigh",
        "login.microsoftonline.us",
        "graph.microsoft.us",
        "high.api.bap.microsoft.us",
        "https://high.service.apps.appsplatform.us",
        "crm.microsoftdynamics.us",
    ),
    (
        "DoD",
        "login.microsoftonline.us",
        "dod-graph.microsoft.us",
        "api.bap.appsplatform.us",
        "https://service.apps.appsplatform.us",
        "crm.appsplatform.us",
    ),
    (
        "China",
        "login.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "api.bap.partner.microsoftonline.cn",
        "https://service.powerapps.cn",
        "crm.dynamics.cn",
    ),
];

fn in_cloud(world: &mut Value, (_, login, graph, bap, resource, suffix): Cloud) {
    world["hosts"] = json!({ "login": login, "graph": graph, "bap": bap, "bap_resource": resource });
    for environment in world["tenants"][0]["environments"].as_array_mut().unwrap() {
        if let Some(host) = environment["host"].as_str() {
            environment["host"] = json!(host.replace("crm4.dynamics.com", suffix));
        }
    }
}

async fn everything_is_read_and_written_in(cloud: Cloud) {
    // There is a role to give, so that there is a write, too.
    let scene = Scene::with_world(&settled(|world| {
        in_cloud(world, cloud);
        world["tenants"][0]["role_assignments"][1]["role"] = json!("Power Platform Administrator");
        world["tenants"][0]["environments"][0]["users"][0]["roles"] = json!(["Basic User"]);
    }))
    .await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&replaced(&scene.policy_yaml(), TENANT, &format!("{TENANT}\n    cloud: {}", cloud.0))).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_ready().await;
    let (_, login, graph, bap, _, suffix) = cloud;
    for call in scene.world.calls() {
        let host = call.host.trim_end_matches(":443");
        let known = [login, graph, bap, "dk-co.keepit.com"].contains(&host) || host.ends_with(suffix);
        assert!(known, "{} asked {host}", cloud.0);
    }
    let hosts: Vec<String> = scene.world.writes().into_iter().map(|call| call.host).collect();
    assert!(hosts.iter().any(|host| host == graph) && hosts.iter().any(|host| host.ends_with(suffix)), "{hosts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_another_cloud_is_read_and_put_right_at_the_hosts_of_that_cloud_only() {
    side_by_side(CLOUDS.map(|cloud| (cloud.0, everything_is_read_and_written_in(cloud))).into()).await;
}

/// The tenant says where its environments are; a token goes to no host that the tenant's cloud does not have.
#[tokio::test(flavor = "multi_thread")]
async fn an_environment_of_another_cloud_gets_no_token_until_its_host_is_allowed_expressly() {
    const ELSEWHERE: &str = "contoso-test.crm.microsoftdynamics.us";
    let scene = Scene::with_world(&contoso(|world| {
        world["tenants"][0]["environments"][2]["host"] = json!(ELSEWHERE);
    }))
    .await;
    let operator = scene.operator().await;
    scene.apply_secrets().await;
    let test = "include: [11111111-aaaa-4bbb-8ccc-000000000003]";
    scene.apply_yaml(&replaced(&scene.policy_yaml(), "types: [Production, Sandbox]", test)).await;
    let policy = scene.until_policy("Ready", "True", "NoConnectors").await;
    let found = finding(&policy, "environment-member");
    assert_eq!(found["result"], "Unknown");
    let said = found["message"].as_str().unwrap();
    assert!(said.contains("cloud Global") && said.contains(&format!("--allow-host {ELSEWHERE}")), "{said}");
    assert_eq!(scene.asked(|call| call.host.contains("microsoftdynamics")), 0);
    assert_eq!(scene.asked(|call| call.path.ends_with("/token")), 2, "one for Graph, one for the Power Platform");

    operator.kill();
    let _operator = scene.operator_with(&scene.grants(), &["--allow-host", ELSEWHERE]).await;
    let asked = |host: &str| scene.asked(|call| call.host == host);
    scene.until_true("the environment to be asked", || asked(ELSEWHERE) > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_is_global_when_none_is_named_and_can_not_change() {
    let scene = Scene::new().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    assert_eq!(scene.policy().await["spec"]["tenant"]["cloud"], "Global");
    let other = replaced(&scene.policy_yaml(), TENANT, &format!("{TENANT}\n    cloud: China"));
    let refusal = scene.try_apply(&other).await.unwrap_err();
    assert!(refusal.contains("tenant can't change"), "{refusal}");
}

/// A tenant that is in another cloud than its policy says is not there, as far as this cloud knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_not_in_the_named_cloud_is_refused_by_its_place_in_the_spec() {
    let scene = Scene::with_world(&contoso(|world| world["tenants"][0]["id"] = json!(uuid(7)))).await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let policy = scene.until_policy("Ready", "False", "TenantNotFound").await;
    assert!(is(&policy, "Stalled", "True", "TenantNotFound"));
    let said = super::harness::message(&policy, "Ready");
    assert!(said.contains("spec.tenant.id") && said.contains("spec.tenant.cloud"), "{said}");
}

fn uuid(last: u8) -> String {
    format!("99999999-8888-4777-8666-55554444333{last}")
}
