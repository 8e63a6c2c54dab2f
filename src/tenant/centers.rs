//! Where people administer a tenant of each cloud, and how their tools are told which cloud they are in.

use super::Cloud;

/// What differs. `None`: no page of Microsoft's names it, and a wrong address is worse than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Centers {
    /// The Microsoft 365 admin center.
    pub microsoft365: Option<&'static str>,
    /// The Microsoft Entra admin center.
    pub entra: Option<&'static str>,
    /// The Power Platform admin center.
    pub power_platform: Option<&'static str>,
    /// What `Add-PowerAppsAccount -Endpoint` takes; `None`: its default.
    pub powershell_endpoint: Option<&'static str>,
    /// What `az cloud set --name` takes; `None`: its default.
    pub azure_cli: Option<&'static str>,
}

// Sources, all Microsoft's own pages:
// - Microsoft 365: microsoft-365/commerce, "volume licensing in the admin center" (GCC High, DoD). GCC shares the worldwide one, as
//   it shares sign-in and directory. China: not found for today's admin center.
// - Entra: entra/fundamentals/faq, the addresses to be let through a firewall; DoD shares the one of US Government, as it shares
//   the sign-in (entra/identity-platform/authentication-national-cloud).
// - Power Platform: power-platform/admin/powerapps-us-government, "service URLs". China: not found.
// - PowerShell: power-platform/admin/powerapps-powershell (usgov, usgovhigh, dod); china by the module's own list of endpoints.
// - Azure CLI: cli/azure/manage-clouds-azure-cli. DoD uses Azure Government.
const GLOBAL: Centers = Centers {
    microsoft365: Some("https://admin.microsoft.com"),
    entra: Some("https://entra.microsoft.com"),
    power_platform: Some("https://admin.powerplatform.microsoft.com"),
    powershell_endpoint: None,
    azure_cli: None,
};
const GCC: Centers = Centers {
    power_platform: Some("https://gcc.admin.powerplatform.microsoft.us"),
    powershell_endpoint: Some("usgov"),
    ..GLOBAL
};
const GCC_HIGH: Centers = Centers {
    microsoft365: Some("https://portal.office365.us/adminportal/home"),
    entra: Some("https://entra.microsoft.us"),
    power_platform: Some("https://high.admin.powerplatform.microsoft.us"),
    powershell_endpoint: Some("usgovhigh"),
    azure_cli: Some("AzureUSGovernment"),
};
const DOD: Centers = Centers {
    microsoft365: Some("https://portal.apps.mil/adminportal/home"),
    power_platform: Some("https://admin.appsplatform.us"),
    powershell_endpoint: Some("dod"),
    ..GCC_HIGH
};
const CHINA: Centers = Centers {
    microsoft365: None,
    entra: Some("https://entra.microsoftonline.cn"),
    power_platform: None,
    powershell_endpoint: Some("china"),
    azure_cli: Some("AzureChinaCloud"),
};

impl Cloud {
    /// Where people administer a tenant of this cloud.
    #[must_use]
    pub fn centers(self) -> &'static Centers {
        match self {
            Self::Global => &GLOBAL,
            Self::Gcc => &GCC,
            Self::GccHigh => &GCC_HIGH,
            Self::Dod => &DOD,
            Self::China => &CHINA,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cloud_sends_people_to_the_power_platform_or_the_endpoint_of_another() {
        let of = |pick: fn(&Centers) -> Option<&'static str>| -> Vec<&'static str> {
            let mut all: Vec<_> = Cloud::ALL.iter().filter_map(|cloud| pick(cloud.centers())).collect();
            all.sort_unstable();
            all
        };
        for pick in [|it: &Centers| it.power_platform, |it: &Centers| it.powershell_endpoint] {
            let all = of(pick);
            let mut once = all.clone();
            once.dedup();
            assert_eq!((all.len(), &once), (4, &all));
        }
        // What signs in at the same place administers its directory at the same place.
        for one in Cloud::ALL {
            for other in Cloud::ALL {
                let same = one.centers().entra == other.centers().entra;
                assert_eq!(same, one.login() == other.login(), "{one:?} {other:?}");
                let same = one.centers().azure_cli == other.centers().azure_cli;
                assert_eq!(same, one.login() == other.login(), "{one:?} {other:?}");
            }
        }
    }
}
