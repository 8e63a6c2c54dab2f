//! Which directory roles, licences and security roles does Microsoft itself define?

/// Built-in directory roles: name, template id (= v1.0 roleDefinitionId), microsoft.md §1.1.
pub const DIRECTORY_ROLES: &[(&str, &str)] = &[
    ("Global Administrator", GLOBAL_ADMINISTRATOR),
    ("Dynamics 365 Administrator", DYNAMICS_365_ADMINISTRATOR),
    ("Power Platform Administrator", POWER_PLATFORM_ADMINISTRATOR),
    // [M] in the facts.
    ("Privileged Role Administrator", "e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ("Global Reader", "f2ef992c-3afb-46b9-b7cf-a126ee74c451"),
];
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
pub const DYNAMICS_365_ADMINISTRATOR: &str = "44367163-eba1-44c3-98af-f5787879f96a";
pub const POWER_PLATFORM_ADMINISTRATOR: &str = "11648597-926c-4cf3-9c36-bcebb0ba8dcc";

/// Microsoft's own APIs, whose service principals are in every tenant: name, other names, app id, delegated permissions
/// (microsoft.md §1.7; `PowerApps` Service and `user_impersonation` are [P]).
pub const RESOURCES: &[Resource] = &[
    Resource {
        name: "Microsoft Graph",
        also: &["Graph"],
        app_id: GRAPH_APP,
        scopes: &[
            ("User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d"),
            ("offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182"),
        ],
    },
    Resource {
        name: "Dataverse",
        also: &["Dynamics CRM", "Common Data Service"],
        app_id: "00000007-0000-0000-c000-000000000000",
        scopes: &[("user_impersonation", "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4")],
    },
    Resource { name: "Power Platform API", also: &[], app_id: "8578e004-a5c6-46e7-913e-12f58912df43", scopes: &[] },
    Resource { name: "PowerApps Service", also: &[], app_id: "475226c6-020e-4fb2-8a90-7a972cbfc1d4", scopes: &[] },
];
pub const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";

pub struct Resource {
    pub name: &'static str,
    pub also: &'static [&'static str],
    pub app_id: &'static str,
    pub scopes: &'static [(&'static str, &'static str)],
}

/// By name or app id.
pub fn resource(key: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|it| {
        std::iter::once(&it.name).chain(it.also).chain([&it.app_id]).any(|name| name.eq_ignore_ascii_case(key))
    })
}

/// Security roles that every Dataverse organization has: name, template id where it has one.
/// The template of System Administrator is in microsoft.md §3.3, the others were recorded (contracts/powerplatform/security-roles.json).
pub const SECURITY_ROLES: &[(&str, Option<&str>)] = &[
    (SYSTEM_ADMINISTRATOR, Some(SYSTEM_ADMINISTRATOR_TEMPLATE)),
    ("System Customizer", Some("119f245c-3cc8-4b62-b31c-d1a046ced15d")),
    ("Basic User", Some("236750cd-45ae-4939-ab12-b24b920ced93")),
    ("Environment Maker", None),
];
pub const SYSTEM_ADMINISTRATOR: &str = "System Administrator";
pub const SYSTEM_ADMINISTRATOR_TEMPLATE: &str = "627090ff-40a3-4053-8790-584edc5be201";

/// Service plans that make a licence a Dynamics 365 licence (the deciding plans of microsoft.md §1.6).
pub const DYNAMICS_PLANS: &[&str] = &[
    "d56f3deb-50d8-465a-bedb-f079817ccac1",
    "95d2cd7b-1007-484b-8595-5e97e63fe189",
    "4092fdb5-8d81-41d3-be76-aaba4074530b",
    "6a54b05e-4fab-40e7-9828-428db3b336fa",
    "2da8e897-7791-486b-b08f-cc63c8129df7",
    "88d83950-ff78-4e85-aa66-abfc787f8090",
    "99340b49-fb81-4b1e-976b-8f2ae8e9394f",
    "6929f657-b31b-4947-b4ce-5066c3214f54",
    "8c66ef8a-177f-4c0d-853c-d4f219331d09",
    "5d7a6abc-eebd-46ab-96e1-e4a2f54a2248",
    "f9646fb2-e3b2-4309-95de-dc4833737456",
    "bf36ca64-95c6-4918-9275-eb9f4ce2c04f",
];
/// A SKU whose plans nobody knows (Dynamics 365 Plan, retired): it counts by its own id.
pub const DYNAMICS_SKUS: &[&str] = &["549c4efe-09a2-462b-9393-9b57dfdea76b"];

/// The id of a built-in directory role, by name or id.
pub fn directory_role(name_or_id: &str) -> Option<&'static str> {
    DIRECTORY_ROLES
        .iter()
        .find(|(name, id)| name.eq_ignore_ascii_case(name_or_id) || id.eq_ignore_ascii_case(name_or_id))
        .map(|(_, id)| *id)
}

/// The name of a built-in directory role.
pub fn directory_role_name(id: &str) -> Option<&'static str> {
    DIRECTORY_ROLES.iter().find(|(_, role)| role.eq_ignore_ascii_case(id)).map(|(name, _)| *name)
}
