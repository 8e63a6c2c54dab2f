//! Who gets a token, and what is a token good for?

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::keys::key;
use common::*;
use rcgen::{KeyPair, PublicKeyData as _};
use reqwest::Method;
use serde_json::{Value, json};

const SCOPE: &str = "https://graph.microsoft.com/.default";
const ISSUER: &str = "https://kubernetes.default.svc";
const SUBJECT: &str = "system:serviceaccount:backup:backstay-entra";

fn with_secret<'a>(client: &'a str, secret: &'a str, scope: &'a str) -> [(&'a str, &'a str); 4] {
    [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", secret), ("scope", scope)]
}

async fn refused(visit: &Visit, tenant: &str, fields: &[(&str, &str)]) -> (u16, String, u64) {
    let got = visit.token_request(tenant, fields).await;
    let body = got.json();
    assert!(body["trace_id"].is_string() && body["correlation_id"].is_string());
    assert!(body["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{}: ", body["error_codes"][0])));
    (got.status, body["error"].as_str().unwrap().to_owned(), body["error_codes"][0].as_u64().unwrap())
}

#[tokio::test]
async fn a_tenant_is_named_by_id_or_by_verified_domain() {
    let visit = contoso().await;
    for tenant in [TENANT, "contoso.com", "contoso.onmicrosoft.com"] {
        let got = visit.token_request(tenant, &with_secret(APP, SECRET, SCOPE)).await;
        assert_eq!((got.status, got.json()["expires_in"].as_i64()), (200, Some(3599)));
    }
    assert_eq!(
        refused(&visit, "fabrikam.com", &with_secret(APP, SECRET, SCOPE)).await,
        (400, "invalid_request".into(), 90002)
    );
}

#[tokio::test]
async fn a_wrong_app_secret_or_scope_has_its_own_code() {
    let visit = contoso().await;
    let unknown = "00000000-0000-0000-0000-0000000000aa";
    assert_eq!(
        refused(&visit, TENANT, &with_secret(unknown, SECRET, SCOPE)).await,
        (400, "unauthorized_client".into(), 700_016)
    );
    assert_eq!(
        refused(&visit, TENANT, &with_secret(APP, "wrong", SCOPE)).await,
        (401, "invalid_client".into(), 7_000_215)
    );
    for scope in [
        "https://graph.microsoft.com/User.Read",
        "https://graph.microsoft.com/.default https://service.powerapps.com/.default",
    ] {
        assert_eq!(
            refused(&visit, TENANT, &with_secret(APP, SECRET, scope)).await,
            (400, "invalid_scope".into(), 70011)
        );
    }
    assert_eq!(
        refused(&visit, TENANT, &with_secret(APP, SECRET, "https://fabrikam.crm4.dynamics.com/.default")).await.2,
        500_011
    );
    visit.world.act("expire-secrets", json!({ "app": "Backstay" })).unwrap();
    assert_eq!(
        refused(&visit, TENANT, &with_secret(APP, SECRET, SCOPE)).await,
        (401, "invalid_client".into(), 7_000_222)
    );
}

#[tokio::test]
async fn a_rotated_secret_replaces_the_old_one_unless_it_is_kept() {
    let visit = contoso().await;
    visit.world.act("rotate-secret", json!({ "app": "Backstay", "value": "second", "keep": true })).unwrap();
    assert_eq!(visit.token_request(TENANT, &with_secret(APP, SECRET, SCOPE)).await.status, 200);
    visit.world.act("rotate-secret", json!({ "app": "Backstay", "value": "third" })).unwrap();
    assert_eq!(visit.token_request(TENANT, &with_secret(APP, SECRET, SCOPE)).await.status, 401);
    assert_eq!(visit.token_request(TENANT, &with_secret(APP, "third", SCOPE)).await.status, 200);
}

#[tokio::test]
async fn a_token_is_good_for_one_resource_only() {
    let visit = contoso().await;
    let (graph, bap, sales) = (
        visit.token(GRAPH).await,
        visit.token("https://service.powerapps.com").await,
        visit.token(&format!("https://{SALES_HOST}")).await,
    );

    let url = format!("{GRAPH}/v1.0/subscribedSkus");
    assert_eq!(visit.call(Method::GET, &url, &graph, None).await.status, 200);
    let got = visit.call(Method::GET, &url, &bap, None).await;
    assert_eq!((got.status, got.code().as_str()), (401, "InvalidAuthenticationToken"));

    let url = format!("{ENVIRONMENTS}?api-version=2023-06-01");
    assert_eq!(visit.call(Method::GET, &url, &graph, None).await.status, 401);

    // Another organization of the same tenant is another resource.
    let got = visit.call(Method::GET, &format!("https://{SERVICE_HOST}/api/data/v9.2/WhoAmI"), &sales, None).await;
    assert_eq!(got.status, 401);
    let challenge = got.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(&format!("login.microsoftonline.com/{TENANT}/")), "{challenge}");
}

#[tokio::test]
async fn a_token_ends() {
    let visit = contoso_switched("{ token_lifetime_seconds: 1 }").await;
    let token = visit.token(GRAPH).await;
    let url = format!("{GRAPH}/v1.0/subscribedSkus");
    assert_eq!(visit.call(Method::GET, &url, &token, None).await.status, 200);
    visit.world.act("advance", json!({ "hours": 1 })).unwrap();
    let got = visit.call(Method::GET, &url, &token, None).await;
    assert_eq!((got.status, got.code().as_str()), (401, "InvalidAuthenticationToken"));
    assert!(got.text.contains("expired"));
    assert_eq!(visit.call(Method::GET, &url, "made-up", None).await.status, 401);
}

fn indented(pem: &str) -> String {
    pem.lines()
        .flat_map(|line| {
            [
                "                ",
                line,
                "
",
            ]
        })
        .collect()
}

async fn assert_with(visit: &Visit, assertion: &str) -> (u16, u64) {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let got = visit
        .token_request(
            TENANT,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", APP),
                ("scope", SCOPE),
                ("client_assertion_type", kind),
                ("client_assertion", assertion),
            ],
        )
        .await;
    (got.status, got.json()["error_codes"][0].as_u64().unwrap_or_default())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[tokio::test]
async fn a_certificate_assertion_is_accepted_only_if_everything_in_it_is_right() {
    let (own, other) = (key(), key());
    let registered = format!(
        "        certificates:\n          - pem: |\n{}        graph_permissions:",
        indented(&own.certificate.pem())
    );
    let visit = contoso_with(&[("        graph_permissions:", &registered)]).await;
    let endpoint = format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token");
    let claims = json!({ "aud": endpoint, "iss": APP, "sub": APP, "jti": "1", "nbf": now() - 10, "iat": now(), "exp": now() + 300 });
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let (ps, rs) = (
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": "own" }),
        json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": "own" }),
    );

    assert_eq!(assert_with(&visit, &own.sign(ps.clone(), &claims)).await.0, 200);
    assert_eq!(assert_with(&visit, &own.sign(rs.clone(), &claims)).await.0, 200);

    assert_eq!(
        assert_with(&visit, &other.sign(ps.clone(), &claims)).await,
        (401, 700_027),
        "another key with its own thumbprint"
    );
    let hash =
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, own.certificate.der()).as_ref());
    assert_eq!(
        assert_with(&visit, &other.sign(json!({ "alg": "PS256", "x5t#S256": hash }), &claims)).await,
        (401, 700_027),
        "another key under this thumbprint"
    );
    assert_eq!(
        assert_with(&visit, &own.sign(json!({ "alg": "PS256" }), &claims)).await,
        (401, 700_027),
        "no thumbprint"
    );
    assert_eq!(
        assert_with(
            &visit,
            &own.sign(rs.clone(), &changed("aud", json!("https://login.microsoftonline.com/common/oauth2/v2.0/token")))
        )
        .await,
        (401, 700_027)
    );
    assert_eq!(assert_with(&visit, &own.sign(rs.clone(), &changed("sub", json!("somebody")))).await, (401, 700_027));
    assert_eq!(assert_with(&visit, &own.sign(rs.clone(), &changed("exp", json!(now() - 3600)))).await, (401, 700_024));
    assert_eq!(assert_with(&visit, "a.b.c").await, (401, 700_027));
}

#[tokio::test]
async fn a_federated_token_is_accepted_only_from_its_issuer_for_its_subject() {
    let (cluster, other) = (key(), key());
    let pem = rcgen_public_pem(&cluster.pair);
    let trusted = format!(
        "        federated:\n          - issuer: {ISSUER}\n            subject: {SUBJECT}\n            keys:\n              - |\n{}        graph_permissions:",
        indented(&pem)
    );
    let visit = contoso_with(&[("        graph_permissions:", &trusted)]).await;
    // As a projected service account token: the audience is a list.
    let claims = json!({ "aud": ["api://AzureADTokenExchange"], "iss": ISSUER, "sub": SUBJECT, "nbf": now(), "iat": now(), "exp": now() + 600 });
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let header = json!({ "alg": "RS256", "kid": "k1" });

    assert_eq!(assert_with(&visit, &cluster.sign(header.clone(), &claims)).await.0, 200);
    assert_eq!(assert_with(&visit, &other.sign(header.clone(), &claims)).await, (401, 700_027));
    for (name, value) in [
        ("sub", json!("system:serviceaccount:other:backstay-entra")),
        ("iss", json!("https://elsewhere")),
        ("aud", json!(["https://kubernetes.default.svc"])),
    ] {
        assert_eq!(
            assert_with(&visit, &cluster.sign(header.clone(), &changed(name, value))).await,
            (401, 700_213),
            "{name}"
        );
    }
    assert_eq!(assert_with(&visit, &cluster.sign(header.clone(), &changed("exp", json!(1)))).await, (401, 700_024));
}

fn rcgen_public_pem(pair: &KeyPair) -> String {
    use base64::engine::general_purpose::STANDARD;
    let body = STANDARD.encode(pair.subject_public_key_info());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")
}
