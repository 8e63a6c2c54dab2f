//! Who gets a token from AvePoint's identity service?

use rcgen::KeyUsagePurpose;
use serde_json::{Value, json};

use super::common::keys::{Key, key};
use super::common::{Visit, visit};
use super::{AUDIT, CLIENT, DYNAMICS, SECRET, TAILSPIN, TOKEN, switched, tailspin, tailspin_with, with_secret};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn ask(visit: &Visit, fields: &[(&str, &str)]) -> (u16, String) {
    let got = visit.send(visit.client.post(TOKEN).form(fields)).await;
    let error = got.json()["error"].as_str().unwrap_or_default().to_owned();
    (got.status, error)
}

fn refusal(error: &str) -> (u16, String) {
    (400, error.to_owned())
}

#[tokio::test]
async fn a_secret_gets_a_token_for_one_scope() {
    let visit = tailspin().await;
    let got = visit.send(visit.client.post(TOKEN).form(&with_secret(SECRET, AUDIT))).await;
    let body = got.json();
    assert_eq!((got.status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(body["scope"], AUDIT);
    assert!(body["access_token"].as_str().unwrap().len() > 20);
    let call = visit.world.calls().pop().unwrap();
    assert_eq!((call.app.as_deref(), call.write), (Some(CLIENT), false), "a token request changes nothing");
}

#[tokio::test]
async fn what_is_wrong_in_a_request_has_its_own_error() {
    let visit = tailspin().await;
    let fields = with_secret(SECRET, DYNAMICS);
    assert_eq!(ask(&visit, &with_secret("wrong", DYNAMICS)).await, refusal("invalid_client"));
    let stranger = fields.map(|(key, value)| (key, if key == "client_id" { "nobody" } else { value }));
    assert_eq!(ask(&visit, &stranger).await, refusal("invalid_client"));
    for missing in ["grant_type", "client_id", "client_secret", "scope"] {
        let rest: Vec<_> = fields.into_iter().filter(|(key, _)| *key != missing).collect();
        assert_eq!(ask(&visit, &rest).await, refusal("invalid_request"), "{missing}");
    }
    let password = fields.map(|(key, value)| (key, if key == "grant_type" { "password" } else { value }));
    assert_eq!(ask(&visit, &password).await, refusal("unsupported_grant_type"));
    assert_eq!(ask(&visit, &with_secret(SECRET, "everything.all")).await, refusal("invalid_scope"), "no such scope");
    let known = "autodiscovery.readwrite.all";
    assert_eq!(ask(&visit, &with_secret(SECRET, known)).await, refusal("invalid_scope"), "known, and not granted");

    let unformed = visit.client.post(TOKEN).json(&json!({ "grant_type": "client_credentials" }));
    assert_eq!(visit.send(unformed).await.json()["error"], "invalid_request", "only a form is read");
    assert_eq!(visit.send(visit.client.get(TOKEN)).await.status, 405);
    assert_eq!(visit.send(visit.client.post(TOKEN.replace("connect", "oauth2"))).await.status, 404);
}

#[tokio::test]
async fn expired_credentials_and_those_of_another_cloud_are_unknown() {
    let visit = tailspin().await;
    visit.act("expire-aos-credentials", json!({ "app": "Backstay" }));
    assert_eq!(ask(&visit, &with_secret(SECRET, AUDIT)).await, refusal("invalid_client"));
    visit.switch("invalid_client_status", json!(401));
    assert_eq!(ask(&visit, &with_secret(SECRET, AUDIT)).await.0, 401);

    for (data_center, identity, served) in [
        ("we", "identity.avepointonlineservices.com", true),
        ("we", "identity-gov.avepointonlineservices.com", false),
        ("gov", "identity-gov.avepointonlineservices.com", true),
        ("aos2", "identity-aos2.avepointonlineservices.com", true),
        ("fedramp", "identity.online15.net", true),
        ("fedramp", "identity.avepointonlineservices.com", false),
    ] {
        let visit = tailspin_with(&[("data_center: we", &format!("data_center: {data_center}"))]).await;
        let url = format!("https://{identity}/connect/token");
        let got = visit.send(visit.client.post(url).form(&with_secret(SECRET, AUDIT))).await;
        assert_eq!(got.status == 200, served, "{data_center} at {identity}: {}", got.text);
    }
}

#[tokio::test]
async fn how_scopes_are_spelled_and_whether_several_may_be_asked_for_is_a_switch() {
    let endpoint_page = "Dynamics.ReadWrite.All";
    for (casing, lower, mixed) in [("any", 200, 200), ("registration_page", 200, 400), ("endpoint_page", 400, 200)] {
        let visit = switched(&format!("scope_casing: {casing}")).await;
        assert_eq!(ask(&visit, &with_secret(SECRET, DYNAMICS)).await.0, lower, "{casing}");
        assert_eq!(ask(&visit, &with_secret(SECRET, endpoint_page)).await.0, mixed, "{casing}");
    }
    let both = format!("{DYNAMICS} {AUDIT}");
    assert_eq!(ask(&tailspin().await, &with_secret(SECRET, &both)).await, refusal("invalid_scope"));
    let visit = switched("several_scopes: accepted").await;
    assert_eq!(ask(&visit, &with_secret(SECRET, &both)).await.0, 200);
    for path in ["/dynamicsbackup/jobs", "/aos/audit"] {
        // Let in, and then refused for want of parameters.
        assert_eq!(visit.api(path, &both).await.status, 400, "{path}");
    }
}

/// The certificate instead of the secret.
async fn certified(own: &Key, switches: &str) -> Visit {
    let pem: String = own.certificate.pem().lines().flat_map(|line| ["              ", line, "\n"]).collect();
    let secrets = "        secrets: [{ value: world-avepoint-secret }]\n";
    assert!(TAILSPIN.contains(secrets));
    let yaml = TAILSPIN.replace(secrets, &format!("        certificates:\n          - pem: |\n{pem}"));
    visit(&format!("{yaml}\nswitches: {{ avepoint: {{ {switches} }} }}\n")).await
}

async fn assert_with(visit: &Visit, assertion: &str, more: &[(&str, &str)]) -> (u16, String) {
    let mut fields = vec![("grant_type", "client_credentials"), ("scope", AUDIT), ("client_assertion", assertion)];
    fields.extend(more);
    if !more.iter().any(|(key, _)| *key == "client_assertion_type") {
        fields.push(("client_assertion_type", ASSERTION_TYPE));
    }
    ask(visit, &fields).await
}

fn claims(changes: &[(&str, Value)]) -> Value {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_second();
    let mut claims =
        json!({ "iss": CLIENT, "sub": CLIENT, "aud": TOKEN, "jti": format!("id-{id}"), "nbf": now, "exp": now + 3600 });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn an_assertion_is_accepted_once_and_only_if_everything_in_it_is_right() {
    let (own, other) = (key(), key());
    let visit = certified(&own, "").await;
    let (header, now) = (json!({ "alg": "RS256" }), jiff::Timestamp::now().as_second());
    let signed = |changes: &[(&str, Value)]| own.sign(header.clone(), &claims(changes));

    let good = signed(&[]);
    assert_eq!(assert_with(&visit, &good, &[]).await.0, 200, "as the sample: no client_id, an hour long");
    assert_eq!(visit.world.calls().pop().unwrap().app.as_deref(), Some(CLIENT), "the log knows who it was");
    assert_eq!(assert_with(&visit, &good, &[]).await, refusal("invalid_client"), "the same jti again");
    assert_eq!(assert_with(&visit, &signed(&[]), &[("client_id", CLIENT)]).await.0, 200);
    assert_eq!(assert_with(&visit, &signed(&[]), &[("client_id", "another")]).await, refusal("invalid_client"));

    for (why, wrong) in [
        ("another key", other.sign(header.clone(), &claims(&[]))),
        ("PS256", own.sign(json!({ "alg": "PS256" }), &claims(&[]))),
        ("sub", signed(&[("sub", json!("somebody"))])),
        ("iss", signed(&[("iss", json!("somebody")), ("sub", json!("somebody"))])),
        ("the host alone", signed(&[("aud", json!("https://identity.avepointonlineservices.com"))])),
        ("another host", signed(&[("aud", json!("https://identity-gov.avepointonlineservices.com/connect/token"))])),
        ("no jti", signed(&[("jti", Value::Null)])),
        ("ended", signed(&[("nbf", json!(now - 4000)), ("exp", json!(now - 400))])),
        ("no end", signed(&[("exp", Value::Null)])),
        ("longer than an hour", signed(&[("exp", json!(now + 3700))])),
        ("no JWT", "a.b.c".to_owned()),
    ] {
        assert_eq!(assert_with(&visit, &wrong, &[]).await, refusal("invalid_client"), "{why}");
    }
    let typed = [("client_assertion_type", "jwt")];
    assert_eq!(assert_with(&visit, &signed(&[]), &typed).await, refusal("invalid_request"));
    let both = [("client_secret", SECRET)];
    assert_eq!(assert_with(&visit, &signed(&[]), &both).await, refusal("invalid_request"));

    visit.act("expire-aos-credentials", json!({ "app": CLIENT }));
    assert_eq!(assert_with(&visit, &signed(&[]), &[]).await, refusal("invalid_client"), "the certificate has ended");
}

#[tokio::test]
async fn whether_the_header_has_to_name_the_certificate_is_a_switch() {
    let own = key();
    let visit = certified(&own, "assertion_names_certificate: true").await;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, own.certificate.der());
    let kid: String = hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
    for (header, status) in [
        (json!({ "alg": "RS256" }), 400),
        (json!({ "alg": "RS256", "kid": "00" }), 400),
        (json!({ "alg": "RS256", "kid": kid }), 200),
        (json!({ "alg": "RS256", "x5t#S256": "own" }), 200),
    ] {
        assert_eq!(assert_with(&visit, &own.sign(header.clone(), &claims(&[])), &[]).await.0, status, "{header}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_registered_at_the_page_signs_in() {
    let own = super::common::keys::key_for(&[KeyUsagePurpose::DigitalSignature]);
    let visit = tailspin().await;
    let words = json!({ "name": "Second", "scopes": AUDIT, "pem": own.certificate.pem(), "client_id": "second" });
    visit.act("register-aos-app", words);
    let claims = claims(&[("iss", json!("second")), ("sub", json!("second"))]);
    assert_eq!(assert_with(&visit, &own.sign(json!({ "alg": "RS256" }), &claims), &[]).await.0, 200);
}
