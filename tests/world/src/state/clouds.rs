//! Under which hosts, and for which audiences, does a national cloud answer? (microsoft.md §1.11)

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cloud {
    #[default]
    Global,
    /// Signs in and asks Graph where everybody does, but has a Power Platform of its own.
    #[serde(rename = "GCC")]
    Gcc,
    #[serde(rename = "GCCHigh")]
    GccHigh,
    DoD,
    China,
}

/// Hosts and token audiences: those of a cloud, each of which the world file may replace.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Hosts {
    pub cloud: Cloud,
    pub login: String,
    pub graph: String,
    pub bap: String,
    /// Resource of BAP tokens.
    pub bap_resource: String,
    /// Resource of Power Platform API tokens.
    pub power_platform: String,
    /// Audience of federated tokens.
    pub exchange_audience: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    cloud: Cloud,
    login: Option<String>,
    graph: Option<String>,
    bap: Option<String>,
    bap_resource: Option<String>,
    power_platform: Option<String>,
    exchange_audience: Option<String>,
}

/// login, Graph, BAP, resource of BAP, Power Platform API, audience of federated tokens (but for the global one [M]).
fn row(cloud: Cloud) -> [&'static str; 6] {
    match cloud {
        Cloud::Global => [
            "login.microsoftonline.com",
            "graph.microsoft.com",
            "api.bap.microsoft.com",
            "https://service.powerapps.com",
            "https://api.powerplatform.com",
            "api://AzureADTokenExchange",
        ],
        Cloud::Gcc => [
            "login.microsoftonline.com",
            "graph.microsoft.com",
            "gov.api.bap.microsoft.us",
            "https://service.powerapps.us",
            "https://api.gov.powerplatform.microsoft.us",
            "api://AzureADTokenExchange",
        ],
        Cloud::GccHigh => [
            "login.microsoftonline.us",
            "graph.microsoft.us",
            "high.api.bap.microsoft.us",
            "https://high.service.apps.appsplatform.us",
            // Microsoft's own constants say api.appsplatform.us, a comment beside them and eight others this.
            "https://api.high.powerplatform.microsoft.us",
            "api://AzureADTokenExchangeUSGov",
        ],
        Cloud::DoD => [
            "login.microsoftonline.us",
            "dod-graph.microsoft.us",
            "api.bap.appsplatform.us",
            "https://service.apps.appsplatform.us",
            "https://api.appsplatform.us",
            "api://AzureADTokenExchangeUSGov",
        ],
        Cloud::China => [
            "login.chinacloudapi.cn",
            "microsoftgraph.chinacloudapi.cn",
            "api.bap.partner.microsoftonline.cn",
            "https://service.powerapps.cn",
            "https://api.powerplatform.partner.microsoftonline.cn",
            "api://AzureADTokenExchangeChina",
        ],
    }
}

impl From<Written> for Hosts {
    fn from(it: Written) -> Self {
        let [login, graph, bap, bap_resource, power_platform, exchange_audience] = row(it.cloud);
        Self {
            cloud: it.cloud,
            login: it.login.unwrap_or_else(|| login.into()),
            graph: it.graph.unwrap_or_else(|| graph.into()),
            bap: it.bap.unwrap_or_else(|| bap.into()),
            bap_resource: it.bap_resource.unwrap_or_else(|| bap_resource.into()),
            power_platform: it.power_platform.unwrap_or_else(|| power_platform.into()),
            exchange_audience: it.exchange_audience.unwrap_or_else(|| exchange_audience.into()),
        }
    }
}

impl Default for Hosts {
    fn default() -> Self {
        Written::default().into()
    }
}
