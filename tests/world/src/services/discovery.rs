//! How does a client find out where a tenant gives its tokens? Microsoft's own libraries ask; [M], the shape is that of the public documents.

use serde_json::json;

use super::login::refuse;
use crate::http::{Reply, Request};
use crate::state::State;

/// The two documents that can be had without a token; `None`: this is a request for something else.
pub fn answer(state: &State, request: &Request) -> Option<Reply> {
    if request.method != "GET" {
        return None;
    }
    match request.segments().as_slice() {
        [tenant, "v2.0", ".well-known", "openid-configuration"] => Some(tenant_document(state, tenant)),
        ["common", "discovery", "instance"] => Some(cloud_document(state)),
        _ => None,
    }
}

fn tenant_document(state: &State, key: &str) -> Reply {
    let Some(tenant) = state.tenant(key) else {
        let why = format!(
            "Tenant '{key}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        return refuse(400, "invalid_tenant", 90002, &why);
    };
    let (login, graph) = (&state.hosts.login, &state.hosts.graph);
    let at = |path: &str| format!("https://{login}/{}/{path}", tenant.id);
    Reply::json(
        200,
        &json!({
            "token_endpoint": at("oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": at("discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": at("v2.0"),
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": format!("https://{graph}/oidc/userinfo"),
            "authorization_endpoint": at("oauth2/v2.0/authorize"),
            "device_authorization_endpoint": at("oauth2/v2.0/devicecode"),
            "end_session_endpoint": at("oauth2/v2.0/logout"),
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": graph,
        }),
    )
}

/// Which names the cloud's sign-in has.
fn cloud_document(state: &State) -> Reply {
    let login = &state.hosts.login;
    Reply::json(
        200,
        &json!({
            "tenant_discovery_endpoint": format!("https://{login}/common/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [{ "preferred_network": login, "preferred_cache": login, "aliases": [login] }],
        }),
    )
}
