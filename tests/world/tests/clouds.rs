//! Does a world of a national cloud answer under that cloud's hosts only?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::*;
use reqwest::Method;

struct Cloud {
    name: &'static str,
    login: &'static str,
    graph: &'static str,
    bap: &'static str,
    bap_resource: &'static str,
    dataverse: &'static str,
}

#[rustfmt::skip]
const CLOUDS: [Cloud; 4] = [
    Cloud { name: "GCC", login: "login.microsoftonline.com", graph: "graph.microsoft.com", bap: "gov.api.bap.microsoft.us", bap_resource: "https://service.powerapps.us", dataverse: "crm9.dynamics.com" },
    Cloud { name: "GCCHigh", login: "login.microsoftonline.us", graph: "graph.microsoft.us", bap: "high.api.bap.microsoft.us", bap_resource: "https://high.service.apps.appsplatform.us", dataverse: "crm.microsoftdynamics.us" },
    Cloud { name: "DoD", login: "login.microsoftonline.us", graph: "dod-graph.microsoft.us", bap: "api.bap.appsplatform.us", bap_resource: "https://service.apps.appsplatform.us", dataverse: "crm.appsplatform.us" },
    Cloud { name: "China", login: "login.chinacloudapi.cn", graph: "microsoftgraph.chinacloudapi.cn", bap: "api.bap.partner.microsoftonline.cn", bap_resource: "https://service.powerapps.cn", dataverse: "crm.dynamics.cn" },
];

fn contoso_in(cloud: &Cloud) -> String {
    let yaml = backstay_world::CONTOSO.replace("crm4.dynamics.com", cloud.dataverse);
    format!("{yaml}\nhosts: {{ cloud: {} }}\n", cloud.name)
}

async fn token(visit: &Visit, cloud: &Cloud, resource: &str) -> Got {
    let scope = format!("{resource}/.default");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", APP),
        ("client_secret", SECRET),
        ("scope", scope.as_str()),
    ];
    visit.send(visit.client.post(format!("https://{}/{TENANT}/oauth2/v2.0/token", cloud.login)).form(&fields)).await
}

async fn good_token(visit: &Visit, cloud: &Cloud, resource: &str) -> String {
    token(visit, cloud, resource).await.json()["access_token"].as_str().expect(resource).to_owned()
}

#[tokio::test]
async fn each_cloud_has_its_hosts_and_audiences() {
    for cloud in &CLOUDS {
        let visit = visit(&contoso_in(cloud)).await;
        let graph = format!("https://{}", cloud.graph);
        let bearer = good_token(&visit, cloud, &graph).await;
        let url = format!("{graph}/v1.0/roleManagement/directory/roleAssignments?$top=1");
        let page = visit.call(Method::GET, &url, &bearer, None).await.json();
        assert!(page["@odata.nextLink"].as_str().unwrap().starts_with(&graph), "{}", cloud.name);

        let bearer = good_token(&visit, cloud, cloud.bap_resource).await;
        let url = format!(
            "https://{}/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments?api-version=2023-06-01",
            cloud.bap
        );
        let list = visit.call(Method::GET, &url, &bearer, None).await.json();
        let instance =
            list["value"][0]["properties"]["linkedEnvironmentMetadata"]["instanceUrl"].as_str().unwrap().to_owned();
        assert!(instance.ends_with(&format!(".{}/", cloud.dataverse)), "{instance}");
        let add = url.replace(
            "environments?api-version=2023-06-01",
            &format!("environments/{SALES}/addAppUser?api-version=2020-10-01"),
        );
        visit.call(Method::POST, &add, &bearer, Some(serde_json::json!({ "servicePrincipalAppId": APP }))).await;
        let bearer = good_token(&visit, cloud, instance.trim_end_matches('/')).await;
        assert_eq!(
            visit.call(Method::GET, &format!("{instance}api/data/v9.2/WhoAmI"), &bearer, None).await.status,
            200
        );

        // What belongs to the global cloud is neither a resource nor a host here.
        assert_eq!(token(&visit, cloud, "https://service.powerapps.com").await.status, 400);
        assert!(visit.client.get("https://api.bap.microsoft.com/").send().await.is_err());
    }
}

#[tokio::test]
async fn a_host_can_be_replaced_by_hand() {
    let visit = visit(&format!("{}\nhosts: {{ graph: graph.example.com }}\n", backstay_world::CONTOSO)).await;
    let bearer = visit.token("https://graph.example.com").await;
    let got = visit.call(Method::GET, "https://graph.example.com/v1.0/organization", &bearer, None).await;
    assert_eq!(got.status, 200, "{}", got.text);
}

#[tokio::test]
async fn a_federated_token_is_for_the_exchange_of_its_cloud() {
    let app = "        name: Backstay\n";
    let federated =
        "        name: Backstay\n        federated: [{ issuer: 'https://i.example.com', subject: s, keys: [] }]\n";
    for (cloud, audience) in
        [("GCCHigh", "api://AzureADTokenExchangeUSGov"), ("China", "api://AzureADTokenExchangeChina")]
    {
        let found = CLOUDS.iter().find(|it| it.name == cloud).unwrap();
        let visit = visit(&contoso_in(found).replacen(app, federated, 1)).await;
        assert_eq!(visit.world.state()["tenants"][0]["apps"][0]["federated"][0]["audience"], audience);
    }
}
