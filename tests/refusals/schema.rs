//! What the API server refuses by itself, with a sentence.

use kube::api::{Patch, PatchParams, ValidationDirective};
use serde_json::{Value, json};

use super::harness::{CONNECTOR, POLICY, Scene};
use super::with;

/// What comes out if this is applied: the sentence of the refusal must hold all these pieces. `backstay check`, which has no cluster, must
/// refuse it too, and name the same field.
async fn not_applied(scene: &Scene, failures: &mut Vec<String>, yaml: &str, pieces: &[&str]) {
    let checked = scene.backstay(&["check", "-o", "json", "-"], yaml);
    let fields: Vec<String> = serde_json::from_str::<Vec<Value>>(&checked.out)
        .unwrap_or_default()
        .iter()
        .filter(|it| it["severity"] == "Error")
        .map(|it| it["field"].as_str().unwrap_or_default().to_owned())
        .collect();
    let named = pieces.iter().find(|piece| piece.starts_with("spec") || piece.starts_with("metadata"));
    if checked.code != Some(1) {
        failures.push(format!(
            "the API server refuses it for {pieces:?}, and check does not: {}{}\n{yaml}",
            checked.out, checked.err
        ));
    } else if named
        .is_some_and(|named| !fields.iter().any(|field| field.starts_with(named) || named.starts_with(field)))
    {
        failures.push(format!("the API server names {pieces:?}, and check {fields:?}"));
    }
    match scene.try_apply(yaml).await {
        Ok(_) => failures.push(format!("taken, but should name {pieces:?}:\n{yaml}")),
        Err(said) => failures.extend(
            pieces
                .iter()
                .filter(|piece| !said.contains(**piece))
                .map(|piece| format!("does not name {piece:?}: {said}")),
        ),
    }
}

/// Nothing that the API server takes is held against a pull request.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_server_takes_is_taken_by_check() {
    let scene = Scene::new().await;
    let (connector, policy) = (scene.connector_yaml(), scene.policy_yaml());
    let named = format!("name: {CONNECTOR}\n");
    let mut failures = Vec::new();
    // Without a value: taken when it is created, and not when it is applied by the server.
    for yaml in [
        format!("{connector}  suspend:\n"),
        format!("{connector}  suspend: null\n  restore: ~\n  environments: null\n"),
        with(&connector, "    keepit:\n", "    avePoint: null\n    keepit:\n"),
        with(&policy, "  interval: 10s\n", "  interval:\n  licenses:\n  elevation:\n"),
    ] {
        let checked = scene.backstay(&["check", "-"], &yaml);
        if checked.code != Some(0) || !checked.out.contains("warning: ") || checked.out.contains("error: ") {
            failures.push(format!("{}{}\n{yaml}", checked.out, checked.err));
        }
        let mut object: kube::api::DynamicObject = serde_yaml::from_str(&yaml).unwrap();
        object.metadata.namespace = Some(scene.namespace.clone());
        let dry = kube::api::PostParams { dry_run: true, ..kube::api::PostParams::default() };
        if let Err(said) = scene.api(&object.types.clone().unwrap().kind).create(&dry, &object).await {
            failures.push(format!("the API server refuses it: {said}\n{yaml}"));
        }
    }
    for yaml in [
        connector.clone(),
        policy.clone(),
        with(
            &connector,
            &named,
            &format!("{named}  creationTimestamp: null\n  labels:\n  annotations: {{ 1: 'yes', a.b/c: '' }}\n"),
        ),
        with(
            &connector,
            &named,
            &format!("{named}  labels: {{ app.kubernetes.io/name: x, empty: '' }}\n  finalizers: [example.com/a]\n"),
        ),
        with(&connector, "  backup:\n", "  backup: # how old\n"),
        format!("%YAML 1.2\n---\n{connector}\n...\n"),
        connector.replace('\n', "\r\n"),
        with(&policy, "  interval: 10s\n", "  interval: '10s'\n  waivers: []\n"),
        with(
            &policy,
            "  interval: 10s\n",
            "  interval: 10s\n  waivers: [{ finding: keepitPowerPlatform/read-write, reason: Known, expirationTime: 2126-12-01T18:00:00Z }]\n",
        ),
        format!("{connector}  restore: {{ untilTime: 2126-12-01T18:00:00+01:00 }}\n"),
        serde_yaml::from_str::<Value>(&policy).unwrap().to_string(),
    ] {
        let checked = scene.backstay(&["check", "-o", "json", "-"], &yaml);
        let all: Vec<Value> = serde_json::from_str(&checked.out).unwrap_or_default();
        // That the policy is not in the same file is worth knowing, and no mistake.
        let errors: Vec<&Value> = all.iter().filter(|it| it["severity"] == "Error").collect();
        if checked.code != Some(0) || !errors.is_empty() {
            failures.push(format!("check refuses it: {errors:#?}\n{yaml}"));
        }
        if let Err(said) = scene.try_apply(&yaml).await {
            failures.push(format!("the API server refuses it: {said}\n{yaml}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines)] // a table
async fn what_a_spec_can_not_be_is_refused_when_it_is_made() {
    let scene = Scene::new().await;
    let (connector, policy) = (scene.connector_yaml(), scene.policy_yaml());
    let long = |length: usize| "a".repeat(length);
    let mut failures = Vec::new();

    let vendor = "    keepit:\n      region: dk-co\n      accountID: kp7a2b-c3d4e5-f6g7h8\n      secretRef:\n        name: keepit-api\n      name: Contoso Power Platform\n";
    let with_include =
        |list: &str| with(&connector, "  backup:\n", &format!("  environments: {{ include: {list} }}\n  backup:\n"));
    let named = format!("name: {CONNECTOR}\n");
    let with_metadata = |more: &str| with(&connector, &named, &format!("{named}{more}"));
    for (yaml, pieces) in [
        // What every object has.
        (with_metadata("  namespase: x\n"), &["metadata.namespase"][..]),
        (with_metadata("  labels: { x: 1 }\n"), &["metadata.labels.x"]),
        (with_metadata("  annotations: [a]\n"), &["metadata.annotations"]),
        (with_metadata("  finalizers: a\n"), &["metadata.finalizers"]),
        (with_metadata("  labels: { x: 'a b' }\n"), &["metadata.labels"]),
        (with_metadata("  labels: { 'a b': x }\n"), &["metadata.labels"]),
        (with_metadata("  annotations: { 'a b': x }\n"), &["metadata.annotations"]),
        (with_metadata("  finalizers: [a b]\n"), &["metadata.finalizers"]),
        // The vendor: exactly one, and one that is known.
        (with(&connector, vendor, "    druva: { region: dk-co }\n"), &["spec.vendor.druva"]),
        (with(&connector, vendor, &format!("{vendor}    druva: {{}}\n")), &["spec.vendor.druva"]),
        (with(&connector, &format!("  vendor:\n{vendor}"), "  vendor: {}\n"), &["spec.vendor", "keepit"]),
        (with(&connector, &format!("  vendor:\n{vendor}"), ""), &["spec.vendor", "Required"]),
        (with(&connector, "region: dk-co", "region: DK_CO"), &["spec.vendor.keepit.region"]),
        (with(&connector, "region: dk-co", "region: dk-co.example.com/x"), &["spec.vendor.keepit.region"]),
        (with(&connector, "region: dk-co", &format!("region: {}", long(64))), &["spec.vendor.keepit.region", "63"]),
        (with(&connector, "      region: dk-co\n", ""), &["spec.vendor.keepit.region", "Required"]),
        (with(&connector, "kp7a2b-c3d4e5-f6g7h8", &long(65)), &["spec.vendor.keepit.accountID", "64"]),
        (with(&connector, "kp7a2b-c3d4e5-f6g7h8", "\"\""), &["spec.vendor.keepit.accountID"]),
        (
            with(&connector, "name: Contoso Power Platform", &format!("name: {}", long(256))),
            &["spec.vendor.keepit.name", "255"],
        ),
        (with(&connector, "name: Contoso Power Platform", "name: \"\""), &["spec.vendor.keepit.name"]),
        (
            with(&connector, "name: keepit-api", &format!("name: {}", long(254))),
            &["spec.vendor.keepit.secretRef.name", "253"],
        ),
        (
            with(&connector, "name: keepit-api", "name: Keepit API"),
            &["spec.vendor.keepit.secretRef.name", "Keepit API"],
        ),
        (with(&connector, "name: keepit-api", "key: password"), &["spec.vendor.keepit.secretRef.key"]),
        // The policy.
        (with(&connector, "    name: keepit-service-account", "    name: \"\""), &["spec.policyRef.name"]),
        (with(&connector, "    name: keepit-service-account", "    name: Keepit/Account"), &["spec.policyRef.name"]),
        (with(&connector, "  policyRef:\n    name: keepit-service-account\n", ""), &["spec.policyRef", "Required"]),
        (
            with(&connector, "    name: keepit-service-account", &format!("    name: p\n    profile: {}", long(65))),
            &["spec.policyRef.profile", "64"],
        ),
        (
            with(&connector, "    name: keepit-service-account", "    name: p\n    namespace: other"),
            &["spec.policyRef.namespace"],
        ),
        // Spans.
        (with(&connector, "interval: 10s", "interval: 9s"), &["spec.interval", "at least 10s"]),
        (with(&connector, "interval: 10s", "interval: 10ms"), &["spec.interval", "at least 10s"]),
        (with(&connector, "interval: 10s", "interval: 1d"), &["spec.interval", "1d"]),
        (with(&connector, "interval: 10s", "interval: -1h"), &["spec.interval"]),
        (with(&connector, "interval: 10s", "interval: 60"), &["spec.interval", "string"]),
        (with(&connector, "interval: 10s", "interval: \"\""), &["spec.interval"]),
        (with(&connector, "interval: 10s", "interval: 99999999999999h"), &["spec.interval"]),
        (with(&connector, "maxAge: 36h", "maxAge: 59m"), &["spec.backup.maxAge", "at least 1h"]),
        (with(&connector, "maxAge: 36h", "maxAge: daily"), &["spec.backup.maxAge", "daily"]),
        (
            with(&connector, "  backup:\n", "  restore: { untilTime: 9999-12-31T23:59:59Z }\n  backup:\n"),
            &["spec.restore", "before the year 9000"],
        ),
        // Environments.
        (with_include("[a, b, a]"), &["spec.environments.include", "duplicate"]),
        (with_include("[\"\"]"), &["spec.environments.include"]),
        (with_include(&format!("[{}]", long(129))), &["spec.environments.include", "128"]),
        (
            with(&connector, "  backup:\n", "  environments: { types: [Test] }\n  backup:\n"),
            &["spec.environments.types", "Test", "Production"],
        ),
        (
            with(&connector, "  backup:\n", "  environments: { exclude: [a, a] }\n  backup:\n"),
            &["spec.environments.exclude", "duplicate"],
        ),
        // Fields that nobody knows.
        (with(&connector, "  backup:\n", "  intervall: 10s\n  backup:\n"), &["spec.intervall"]),
        (with(&connector, "  backup:\n", "  backup:\n    maxAgeHours: 1\n"), &["spec.backup.maxAgeHours"]),
        (
            with(&connector, "  backup:\n", "  environments: { includes: [a] }\n  backup:\n"),
            &["spec.environments.includes"],
        ),
        (
            with(&connector, "      region: dk-co\n", "      region: dk-co\n      password: x\n"),
            &["spec.vendor.keepit.password"],
        ),
    ] {
        not_applied(&scene, &mut failures, &yaml, pieces).await;
    }

    let profiles = "    keepitPowerPlatform:\n      workloads: [Dynamics365, PowerPages, PowerAutomate]\n";
    let object_id = "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d";
    let types = "types: [Production, Sandbox]";
    let by_secret = "    clientSecret:\n      clientID: c0ffee00-1111-4222-8333-444455556666\n      secretRef:\n        name: entra-backstay\n        key: client-secret\n";
    let by_identity = "    workloadIdentity: { clientID: c0ffee00-1111-4222-8333-444455556666, serviceAccountRef: { name: entra } }\n";
    for (yaml, pieces) in [
        // The tenant and the credential.
        (with(&policy, "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01", "id: https://contoso.com"), &["spec.tenant.id"][..]),
        (
            with(&policy, "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01", &format!("id: {}", long(254))),
            &["spec.tenant.id", "253"],
        ),
        (
            with(
                &policy,
                "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01",
                "id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01\n    cloud: Germany",
            ),
            &["spec.tenant.cloud", "Germany", "GCCHigh"],
        ),
        (
            with(&policy, "c0ffee00-1111-4222-8333-444455556666", "c0ffee00-1111-4222-8333"),
            &["spec.credential.clientSecret.clientID"],
        ),
        (
            with(&policy, "c0ffee00-1111-4222-8333-444455556666", "c0ffee00-1111-4222-8333-44445555666g"),
            &["spec.credential.clientSecret.clientID"],
        ),
        (with(&policy, "key: client-secret", "key: client secret"), &["spec.credential.clientSecret.secretRef.key"]),
        (with(&policy, "name: entra-backstay", "name: ../entra"), &["spec.credential.clientSecret.secretRef.name"]),
        (
            with(&policy, "        key: client-secret\n", ""),
            &["spec.credential.clientSecret.secretRef.key", "Required"],
        ),
        (
            with(&policy, "    clientSecret:\n", "    certificate: {}\n    clientSecret:\n"),
            &["spec.credential.certificate"],
        ),
        (with(&policy, "    clientSecret:\n", "    password:\n"), &["spec.credential"]),
        // Exactly one, and whole.
        (with(&policy, "    clientSecret:\n", &format!("{by_identity}    clientSecret:\n")), &["spec.credential"]),
        (
            with(&policy, "    clientSecret:\n", "    clientCertificate:\n"),
            &["spec.credential.clientCertificate.secretRef.key"],
        ),
        (
            with(&policy, "    clientSecret:\n", "    workloadIdentity:\n"),
            &["spec.credential.workloadIdentity.secretRef"],
        ),
        (
            with(
                &policy,
                by_secret,
                &by_identity.replace("serviceAccountRef: { name: entra }", "serviceAccountRef: {}"),
            ),
            &["spec.credential.workloadIdentity.serviceAccountRef.name", "Required"],
        ),
        // The account.
        (with(&policy, object_id, "0d5b6a1c"), &["spec.account.user.objectID"]),
        (with(&policy, "svc-backup@contoso.com", "svc-backup"), &["spec.account.user.principalName"]),
        (
            with(&policy, "svc-backup@contoso.com", &format!("{}@contoso.com", long(320))),
            &["spec.account.user.principalName", "320"],
        ),
        (
            with(&policy, &format!("      objectID: {object_id}\n"), ""),
            &["account.user.objectID must be set", "by id, not by name"],
        ),
        (with(&policy, object_id, "null"), &["objectID"]),
        // What is asked and what is allowed.
        (
            with(&policy, profiles, "    keepitEntraID:\n      workloads: [Dynamics365]\n"),
            &["spec.profiles.keepitEntraID"],
        ),
        (
            with(
                &policy,
                &format!(
                    "{profiles}      # Once the connector is authorized, Global Administrator goes.\n      globalAdministratorAfterSetup: Remove\n"
                ),
                "    {}\n",
            ),
            &["spec.profiles", "at least one profile"],
        ),
        (with(&policy, "[Dynamics365, PowerPages, PowerAutomate]", "[]"), &["workloads"]),
        (
            with(&policy, "[Dynamics365, PowerPages, PowerAutomate]", "[Dynamics365, Dynamics365]"),
            &["workloads", "duplicate"],
        ),
        (
            with(&policy, "[Dynamics365, PowerPages, PowerAutomate]", "[Exchange]"),
            &["workloads", "Exchange", "PowerPages"],
        ),
        (
            with(&policy, "AfterSetup: Remove", "AfterSetup: Delete"),
            &["globalAdministratorAfterSetup", "Delete", "Report"],
        ),
        (with(&policy, "SelfEnrollment]", "Everything]"), &["spec.allowedActions", "Everything", "DirectoryRoles"]),
        (with(&policy, "SelfEnrollment]", "DirectoryRoles]"), &["spec.allowedActions", "duplicate"]),
        (
            with(
                &policy,
                "  interval: 10s\n",
                "  interval: 10s\n  waivers: [{ finding: a/b, reason: For ever, expirationTime: 9999-12-31T23:59:59Z }]\n",
            ),
            &["spec.waivers[0]", "before the year 9000"],
        ),
        // Environments and spans.
        (with(&policy, types, "include: [a, b, a]"), &["spec.environments.include", "duplicate"]),
        (with(&policy, types, "types: [Production, Production]"), &["spec.environments.types", "duplicate"]),
        (with(&policy, types, "types: [Test]"), &["spec.environments.types", "Test", "Production"]),
        (with(&policy, "interval: 10s", "interval: 9.9s"), &["spec.interval", "at least 10s"]),
        (with(&policy, "interval: 10s", "interval: hourly"), &["spec.interval", "hourly"]),
        // Fields that nobody knows.
        (with(&policy, "  tenant:\n", "  dryRun: true\n  tenant:\n"), &["spec.dryRun"]),
        (with(&policy, "  tenant:\n", "  tenant:\n    name: contoso\n"), &["spec.tenant.name"]),
        (
            with(&policy, "      principalName:", "      password: x\n      principalName:"),
            &["spec.account.user.password"],
        ),
    ] {
        not_applied(&scene, &mut failures, &yaml, pieces).await;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));

    // So that each of these was refused for what was changed in it.
    scene.try_apply(&policy).await.unwrap();
    scene.try_apply(&connector).await.unwrap();
    // And a profile with its defaults is written as the sentence says.
    let all_of_it = format!(
        "{profiles}      # Once the connector is authorized, Global Administrator goes.\n      globalAdministratorAfterSetup: Remove\n"
    );
    let defaults = with(&policy, &all_of_it, "    keepitPowerPlatform: {}\n");
    scene.try_apply(&with(&defaults, "name: keepit-service-account", "name: with-defaults")).await.unwrap();
    // Over a policy that had more in it, too, where the API server prunes what is left empty.
    scene
        .try_apply(&with(&policy, &all_of_it, "    keepitPowerPlatform: { workloads: [Dynamics365] }\n"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_spec_can_not_become_is_refused_when_it_is_changed() {
    let scene = Scene::new().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let unpinned = with(
        &with(&scene.connector_yaml(), "name: contoso-power-platform", "name: unpinned"),
        "      accountID: kp7a2b-c3d4e5-f6g7h8\n",
        "",
    );
    scene.apply_yaml(&unpinned).await;
    let mut failures = Vec::new();

    let keepit = |change: Value| json!({ "spec": { "vendor": { "keepit": change } } });
    let user = |change: Value| json!({ "spec": { "account": { "user": change } } });
    let another = "b7e1f0a2-5c4d-4e3f-9b8a-1d2c3b4a5f60";
    for (kind, name, patch, pieces) in [
        (
            "Connector",
            CONNECTOR,
            json!({ "spec": { "vendor": { "keepit": null, "druva": { "region": "dk-co" } } } }),
            &["spec.vendor"][..],
        ),
        ("Connector", CONNECTOR, json!({ "spec": { "vendor": { "druva": {} } } }), &["spec.vendor.druva"]),
        ("Connector", CONNECTOR, json!({ "spec": { "vendor": { "keepit": null } } }), &["spec.vendor"]),
        (
            "Connector",
            CONNECTOR,
            keepit(json!({ "region": "us-dc" })),
            &["region can't change", "create another Connector"],
        ),
        (
            "Connector",
            CONNECTOR,
            keepit(json!({ "accountID": "zz9z9z-zz9z9z-zz9z9z" })),
            &["accountID can't change once set", "create another Connector"],
        ),
        ("Connector", CONNECTOR, keepit(json!({ "accountID": null })), &["accountID can't change once set"]),
        (
            "ServiceAccountPolicy",
            POLICY,
            json!({ "spec": { "tenant": { "id": "contoso.com" } } }),
            &["tenant can't change", "create another ServiceAccountPolicy"],
        ),
        (
            "ServiceAccountPolicy",
            POLICY,
            user(json!({ "principalName": "jane@contoso.com" })),
            &["the account can't change", "create another ServiceAccountPolicy"],
        ),
        ("ServiceAccountPolicy", POLICY, user(json!({ "objectID": another })), &["the account can't change"]),
        ("ServiceAccountPolicy", POLICY, user(json!({ "objectID": null })), &["objectID can't be unset"]),
        (
            "ServiceAccountPolicy",
            POLICY,
            json!({ "spec": { "account": { "user": { "objectID": null } }, "allowedActions": null } }),
            &["objectID can't be unset"],
        ),
        ("ServiceAccountPolicy", POLICY, json!({ "spec": { "account": { "user": null } } }), &["spec.account"]),
        (
            "ServiceAccountPolicy",
            POLICY,
            json!({ "spec": { "profiles": { "keepitPowerPlatform": null } } }),
            &["spec.profiles"],
        ),
        (
            "ServiceAccountPolicy",
            POLICY,
            json!({ "spec": { "allowedActions": ["Everything"] } }),
            &["spec.allowedActions", "Everything"],
        ),
    ] {
        let params = PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::default() };
        match scene.api(kind).patch(name, &params, &Patch::Merge(&patch)).await {
            Err(kube::Error::Api(status)) => failures.extend(
                pieces
                    .iter()
                    .filter(|piece| !status.message.contains(**piece))
                    .map(|piece| format!("does not name {piece:?}: {}", status.message)),
            ),
            other => failures.push(format!("taken, but should name {pieces:?}: {patch}: {other:?}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));

    // What may change, and be set later.
    scene.patch("Connector", "unpinned", keepit(json!({ "accountID": "kp7a2b-c3d4e5-f6g7h8" }))).await;
    scene.patch("Connector", CONNECTOR, keepit(json!({ "name": "Another name" }))).await;
    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "allowedActions": null } })).await;
    // What is left out by `null` is not there, and may be set later, too.
    let nulls = with(
        &with(&scene.connector_yaml(), "name: contoso-power-platform", "name: nulls"),
        "accountID: kp7a2b-c3d4e5-f6g7h8",
        "accountID: null",
    );
    if scene.try_apply(&nulls).await.is_ok() {
        scene.patch("Connector", "nulls", keepit(json!({ "accountID": "kp7a2b-c3d4e5-f6g7h8" }))).await;
    }
}
