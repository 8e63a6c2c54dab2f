//! Which of Microsoft's clouds has which hosts, and what its tokens are for (facts/microsoft.md §1.11).

/// One of Microsoft's clouds. Tokens of one are nothing to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The worldwide one.
    #[default]
    Global,
    /// US Government Community Cloud: signs in at the worldwide one, and has a Power Platform of its own.
    Gcc,
    /// US Government, GCC High.
    GccHigh,
    /// US Department of Defense.
    Dod,
    /// China, operated by 21Vianet.
    China,
}

/// What differs.
struct Row {
    login: &'static str,
    graph: &'static str,
    power_platform: &'static str,
    power_platform_scope: &'static str,
    // Any label before these is an environment. The list of the worldwide cloud grows.
    dataverse: &'static [&'static str],
    exchange: &'static str,
}

const WORLDWIDE: &[&str] = &[
    ".crm.dynamics.com",
    ".crm2.dynamics.com",
    ".crm3.dynamics.com",
    ".crm4.dynamics.com",
    ".crm5.dynamics.com",
    ".crm6.dynamics.com",
    ".crm7.dynamics.com",
    ".crm8.dynamics.com",
    ".crm11.dynamics.com",
    ".crm12.dynamics.com",
    ".crm14.dynamics.com",
    ".crm15.dynamics.com",
    ".crm16.dynamics.com",
    ".crm17.dynamics.com",
    ".crm19.dynamics.com",
    ".crm20.dynamics.com",
    ".crm21.dynamics.com",
];

const GLOBAL: Row = Row {
    login: "login.microsoftonline.com",
    graph: "graph.microsoft.com",
    power_platform: "api.bap.microsoft.com",
    power_platform_scope: "https://service.powerapps.com/.default",
    dataverse: WORLDWIDE,
    exchange: "api://AzureADTokenExchange",
};
const GCC: Row = Row {
    power_platform: "gov.api.bap.microsoft.us",
    power_platform_scope: "https://service.powerapps.us/.default",
    dataverse: &[".crm9.dynamics.com"],
    ..GLOBAL
};
const GCC_HIGH: Row = Row {
    login: "login.microsoftonline.us",
    graph: "graph.microsoft.us",
    power_platform: "high.api.bap.microsoft.us",
    power_platform_scope: "https://high.service.apps.appsplatform.us/.default",
    dataverse: &[".crm.microsoftdynamics.us"],
    exchange: "api://AzureADTokenExchangeUSGov",
};
const DOD: Row = Row {
    login: "login.microsoftonline.us",
    graph: "dod-graph.microsoft.us",
    power_platform: "api.bap.appsplatform.us",
    power_platform_scope: "https://service.apps.appsplatform.us/.default",
    dataverse: &[".crm.appsplatform.us"],
    exchange: "api://AzureADTokenExchangeUSGov",
};
const CHINA: Row = Row {
    login: "login.chinacloudapi.cn",
    graph: "microsoftgraph.chinacloudapi.cn",
    power_platform: "api.bap.partner.microsoftonline.cn",
    power_platform_scope: "https://service.powerapps.cn/.default",
    dataverse: &[".crm.dynamics.cn"],
    exchange: "api://AzureADTokenExchangeChina",
};

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Global, Self::Gcc, Self::GccHigh, Self::Dod, Self::China];

    fn row(self) -> &'static Row {
        match self {
            Self::Global => &GLOBAL,
            Self::Gcc => &GCC,
            Self::GccHigh => &GCC_HIGH,
            Self::Dod => &DOD,
            Self::China => &CHINA,
        }
    }

    /// The word in `spec.tenant.cloud`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Global => "Global",
            Self::Gcc => "GCC",
            Self::GccHigh => "GCCHigh",
            Self::Dod => "DoD",
            Self::China => "China",
        }
    }

    /// Where tokens are had.
    #[must_use]
    pub fn login(self) -> &'static str {
        self.row().login
    }

    /// The host of Microsoft Graph.
    #[must_use]
    pub fn graph(self) -> &'static str {
        self.row().graph
    }

    /// The host of the Power Platform's administration (BAP).
    #[must_use]
    pub fn power_platform(self) -> &'static str {
        self.row().power_platform
    }

    /// The scope of tokens for the Power Platform's administration: not that of its host.
    #[must_use]
    pub fn power_platform_scope(self) -> &'static str {
        self.row().power_platform_scope
    }

    /// Whether environments of this cloud have such hosts.
    #[must_use]
    pub fn has_environment(self, host: &str) -> bool {
        self.row().dataverse.iter().any(|suffix| host.len() > suffix.len() && host.ends_with(suffix))
    }

    /// The audience of a token that is exchanged for one of this cloud (facts/microsoft.md §4.2).
    #[must_use]
    pub fn exchange_audience(self) -> &'static str {
        self.row().exchange
    }
}

/// The hosts of all clouds, as patterns: what may be asked without `--allow-host`.
pub fn hosts() -> impl Iterator<Item = String> {
    Cloud::ALL.into_iter().flat_map(|cloud| {
        let row = cloud.row();
        let fixed = [row.login, row.graph, row.power_platform].map(str::to_owned);
        fixed.into_iter().chain(row.dataverse.iter().map(|suffix| format!("*{suffix}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_of_one_cloud_only() {
        for (host, cloud) in [
            ("contoso.crm.dynamics.com", Cloud::Global),
            ("contoso.crm4.dynamics.com", Cloud::Global),
            ("contoso.api.crm21.dynamics.com", Cloud::Global),
            ("contoso.crm9.dynamics.com", Cloud::Gcc),
            ("contoso.crm.microsoftdynamics.us", Cloud::GccHigh),
            ("contoso.crm.appsplatform.us", Cloud::Dod),
            ("contoso.crm.dynamics.cn", Cloud::China),
        ] {
            let of: Vec<Cloud> = Cloud::ALL.into_iter().filter(|cloud| cloud.has_environment(host)).collect();
            assert_eq!(of, [cloud], "{host}");
        }
        for host in
            ["crm4.dynamics.com", ".crm4.dynamics.com", "evilcrm4.dynamics.com", "contoso.crm4.dynamics.com.evil.net"]
        {
            assert!(Cloud::ALL.into_iter().all(|cloud| !cloud.has_environment(host)), "{host}");
        }
    }

    #[test]
    fn no_host_of_another_cloud_is_a_service_of_this_one() {
        // GCC signs in and reads the directory at the worldwide cloud; GCC High and DoD share the sign-in.
        let all = Cloud::ALL;
        let platforms: std::collections::BTreeSet<_> = all.iter().map(|cloud| cloud.power_platform()).collect();
        let scopes: std::collections::BTreeSet<_> = all.iter().map(|cloud| cloud.power_platform_scope()).collect();
        let graphs: std::collections::BTreeSet<_> = all.iter().map(|cloud| cloud.graph()).collect();
        let logins: std::collections::BTreeSet<_> = all.iter().map(|cloud| cloud.login()).collect();
        assert_eq!((platforms.len(), scopes.len(), graphs.len(), logins.len()), (5, 5, 4, 3));
    }

    #[test]
    fn every_host_may_be_asked() {
        let hosts: Vec<String> = hosts().collect();
        for cloud in Cloud::ALL {
            for host in [cloud.login(), cloud.graph(), cloud.power_platform()] {
                assert!(hosts.contains(&host.to_owned()), "{host}");
            }
        }
        assert!(hosts.contains(&"*.crm.microsoftdynamics.us".to_owned()));
    }
}
