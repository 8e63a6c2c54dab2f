//! Which apps of others are in a tenant, and what were they allowed by whom? (microsoft.md §1.7)

use serde::{Deserialize, Serialize};

use super::{Tenant, always};
use crate::catalog::{GRAPH_APP, RESOURCES};
use crate::ids::guid_of;

/// The service principal of a vendor's app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorApp {
    pub app_id: String,
    pub name: String,
    /// Object id of the service principal; made from the app id if left out.
    #[serde(default)]
    pub id: String,
    /// `false`: an administrator blocked it.
    #[serde(default = "always")]
    pub enabled: bool,
    /// Only who is assigned may use it.
    #[serde(default)]
    pub assignment_required: bool,
    /// The vendor's own tenant; made up if left out.
    #[serde(default)]
    pub owner: String,
}

/// A row of `oauth2PermissionGrants`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Vendor app (or app of the tenant) by name or app id; the id of its service principal after loading.
    pub app: String,
    /// Microsoft Graph, Dataverse, Power Platform API, `PowerApps` Service, or an app id; the id of the service principal after loading.
    #[serde(default = "graph")]
    pub resource: String,
    pub scopes: Vec<String>,
    /// Consented for this user alone; `None` is the consent of an administrator for all.
    #[serde(default)]
    pub user: Option<String>,
}

/// Somebody who may use an app.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppAssignment {
    /// As in [`Consent`].
    pub app: String,
    /// User or group by name or id; the object id after loading.
    pub principal: String,
}

/// What Graph shows of any app in a tenant.
pub struct ServicePrincipal {
    pub id: String,
    pub app_id: String,
    pub name: String,
    pub enabled: bool,
    pub assignment_required: bool,
    pub owner: String,
}

/// The tenant that owns Microsoft's own apps [M].
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

fn graph() -> String {
    GRAPH_APP.into()
}

impl Tenant {
    /// Microsoft's APIs, the tenant's own apps, and those of vendors.
    pub fn service_principals(&self) -> Vec<ServicePrincipal> {
        let apis = RESOURCES.iter().map(|it| ServicePrincipal {
            id: guid_of(&[&self.id, "service principal", it.app_id]),
            app_id: it.app_id.into(),
            name: it.name.into(),
            enabled: true,
            assignment_required: false,
            owner: MICROSOFT.into(),
        });
        let own = self.apps.iter().map(|it| ServicePrincipal {
            id: it.service_principal_id.clone(),
            app_id: it.client_id.clone(),
            name: it.name.clone(),
            enabled: it.enabled,
            assignment_required: false,
            owner: self.id.clone(),
        });
        let vendors = self.vendor_apps.iter().map(|it| ServicePrincipal {
            id: it.id.clone(),
            app_id: it.app_id.clone(),
            name: it.name.clone(),
            enabled: it.enabled,
            assignment_required: it.assignment_required,
            owner: it.owner.clone(),
        });
        apis.chain(own).chain(vendors).collect()
    }

    /// By object id, app id or name; Microsoft's APIs by their other names, too.
    pub fn service_principal(&self, key: &str) -> Option<ServicePrincipal> {
        let key = crate::catalog::resource(key).map_or(key, |it| it.app_id);
        self.service_principals()
            .into_iter()
            .find(|it| [&it.id, &it.app_id, &it.name].into_iter().any(|name| name.eq_ignore_ascii_case(key)))
    }
}
