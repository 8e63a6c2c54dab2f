//! AvePoint shows its jobs and nothing else: what they prove, what they leave open, and what people are asked for.

use backstay_world::{Call, Fault, TAILSPIN};
use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, date_time_ymd};
use serde_json::{Value, json};

use crate::harness::calls::side_by_side;
use crate::harness::{Operator, Scene, example_of, is, message};

const FOLDER: &str = "avepoint-dynamics-365";
const CONNECTOR: &str = "tailspin-dynamics";
const ACCOUNT: &str = "svc-avepoint@tailspin.com";
const GRAPH: &str = "graph-we.avepointonlineservices.com";

fn tailspin(change: impl FnOnce(&mut Value)) -> String {
    let mut world: Value = serde_yaml::from_str(TAILSPIN).unwrap();
    change(&mut world);
    world.to_string()
}

/// Nothing is backed up yet.
fn before_the_scan(world: &mut Value) {
    world["avepoint"][0]["organizations"] = json!([]);
}

/// The example in this world.
async fn begun(world: &str) -> (Scene, Operator) {
    let scene = Scene::with_world(world).await;
    let grants = example_of(FOLDER, "operator/grants.yaml")
        .replace("namespace: backup", &format!("namespace: {}", scene.namespace));
    let operator = scene.operator_with(&grants, &[]).await;
    scene.apply_yaml(&example_of(FOLDER, "1-secrets.yaml")).await;
    scene.apply_yaml(&often("2-policy.yaml")).await;
    scene.apply_yaml(&often("3-connector.yaml")).await;
    (scene, operator)
}

fn often(file: &str) -> String {
    format!("{}  interval: 10s\n", example_of(FOLDER, file))
}

async fn until(scene: &Scene, status: &str, reason: &str) -> Value {
    scene.until_condition("Connector", CONNECTOR, "Ready", status, reason).await
}

async fn until_seen(scene: &Scene, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    scene.until(what, "Connector", CONNECTOR, wanted).await
}

fn open(connector: &Value) -> Vec<&str> {
    let all = connector["status"]["handOffs"].as_array();
    all.into_iter().flatten().filter_map(|it| it["name"].as_str()).collect()
}

fn finish(scene: &Scene, organization: &str, outcome: &str) {
    let words = json!({ "organization": organization, "outcome": outcome });
    scene.world.act("finish-organization-backup", words).unwrap();
}

async fn set(scene: &Scene, spec: Value) {
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "vendor": { "avePoint": spec } } })).await;
}

fn lists_jobs(call: &Call) -> bool {
    call.host == GRAPH && call.path == "/dynamicsbackup/jobs"
}

fn signs_in(call: &Call) -> bool {
    call.path == "/connect/token"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_ready_once_every_organization_was_scanned_and_backed_up() {
    let (scene, _operator) = begun(&tailspin(before_the_scan)).await;
    let waiting = until(&scene, "False", "AwaitingPerson").await;
    assert_eq!(open(&waiting), ["scan-organizations"]);
    assert!(is(&waiting, "CredentialsValid", "True", "Accepted"), "{waiting:#}");
    let steps = waiting["status"]["handOffs"][0]["steps"].to_string();
    assert!(steps.contains(&format!("exactly {ACCOUNT}")), "chosen explicitly: {steps}");

    scene.world.act("scan-organizations", json!({ "service_account": ACCOUNT })).unwrap();
    finish(&scene, "Tailspin Sales", "finished");
    // One of two: it works, and the other one has only begun.
    let half = until_seen(&scene, "one organization", |it| is(it, "Authorized", "True", "Granted")).await;
    assert!(is(&half, "BackupCurrent", "False", "NoBackup"), "{half:#}");
    finish(&scene, "Tailspin Service", "finished");
    let ready = until(&scene, "True", "Current").await;
    for condition in ["CredentialsValid", "PolicySatisfied", "Provisioned", "Authorized", "BackupCurrent"] {
        let all = ready["status"]["conditions"].as_array().unwrap();
        assert!(all.iter().any(|it| it["type"] == condition && it["status"] == "True"), "{condition}: {ready:#}");
    }
    let organizations = ready["status"]["organizations"].as_array().unwrap();
    assert!(organizations.iter().all(|it| it["lastJob"] == "Finished" && it["lastBackup"]["result"] == "Complete"));
    assert_eq!(ready["status"]["authorization"]["profile"], "avePointServiceAccount");
    assert_eq!(open(&ready), Vec::<&str>::new());
    assert_eq!(scene.written(), Vec::<String>::new(), "AvePoint and the account are only looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_everywhere_is_in_doubt_what_is_partial_says_so_and_a_backup_makes_it_good_again() {
    let (scene, _operator) = begun(TAILSPIN).await;
    until(&scene, "True", "Current").await;
    finish(&scene, "Tailspin Sales", "failed");
    // One organization that fails says nothing of the authorization.
    let one = until_seen(&scene, "one failure", |it| it["status"]["health"]["state"] == "failed").await;
    assert!(is(&one, "Authorized", "True", "Granted") && open(&one).is_empty(), "{one:#}");
    let reasons = scene.events().await;
    assert!(reasons.iter().any(|(reason, note)| reason == "BackupFailed" && note.contains("Tailspin Sales")));

    for organization in ["Tailspin Sales", "Tailspin Service", "Tailspin Service"] {
        finish(&scene, organization, "failed");
    }
    let doubted = until(&scene, "False", "AwaitingPerson").await;
    assert!(is(&doubted, "Authorized", "Unknown", "NotObservable"), "{doubted:#}");
    assert_eq!(open(&doubted), ["reauthorize"]);
    assert!(doubted["status"]["handOffs"][0]["steps"].to_string().contains("password"), "{doubted:#}");

    finish(&scene, "Tailspin Sales", "finished_with_exception");
    let again = until_seen(&scene, "it to work again", |it| is(it, "Authorized", "True", "Granted")).await;
    assert_eq!(open(&again), Vec::<&str>::new());
    let sales = &again["status"]["organizations"][0];
    assert_eq!(
        (&sales["lastJob"], &sales["lastBackup"]["result"]),
        (&json!("FinishedWithException"), &json!("Partial"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_was_seen_to_do_is_shown_and_the_hand_off_stays_open_until_a_backup_works() {
    let world = tailspin(|world| {
        world["switches"] = json!({ "avepoint": { "audit_page_size": 1 } });
    });
    let (scene, _operator) = begun(&world).await;
    set(&scene, json!({ "auditScope": "audit.read.all" })).await;
    until(&scene, "True", "Current").await;
    let reads_audit = |call: &Call| call.path == "/aos/audit";
    assert_eq!(scene.asked(reads_audit), 0, "nobody was asked for anything");
    for organization in ["Tailspin Sales", "Tailspin Service", "Tailspin Sales", "Tailspin Service"] {
        finish(&scene, organization, "failed");
    }
    let asked = until(&scene, "False", "AwaitingPerson").await;
    assert_eq!(asked["status"]["handOffs"][0]["evidence"], Value::Null, "{asked:#}");
    let words = json!({ "profile": "Dynamics account", "by": "jane@tailspin.com" });
    scene.world.act("reauthorize-app-profile", words).unwrap();
    let evidence = |it: &Value| it["status"]["handOffs"][0]["evidence"].as_str().map(str::to_owned);
    let seen = until_seen(&scene, "the audit to show it", |it| evidence(it).is_some()).await;
    assert!(evidence(&seen).unwrap().contains("of Dynamics account by jane@tailspin.com"), "{seen:#}");
    assert_eq!(open(&seen), ["reauthorize"], "a backup has to work first");
    scene.until_event("HandOffUnderWay").await;
    finish(&scene, "Tailspin Sales", "finished");
    until_seen(&scene, "it to work again", |it| open(it).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_without_a_job_is_not_observable_and_one_that_nobody_declared_is_named() {
    let (scene, _operator) = begun(TAILSPIN).await;
    let ready = until(&scene, "True", "Current").await;
    assert_eq!(ready["status"]["undeclared"], json!({ "count": 1, "sample": ["Tailspin Toys"] }));

    // It was seen once; then its jobs are listed no longer.
    let seen = ready["status"]["organizations"][1].clone();
    scene.world.act("set-switch", json!({ "name": "avepoint.jobs_listed_hours", "value": "0" })).unwrap();
    let silent = until(&scene, "Unknown", "NotObservable").await;
    for condition in ["Provisioned", "Authorized", "BackupCurrent"] {
        assert!(is(&silent, condition, "Unknown", "NotObservable"), "{condition}: {silent:#}");
    }
    assert!(message(&silent, "BackupCurrent").contains("no backup job of Tailspin Sales, Tailspin Service"));
    assert_eq!(silent["status"]["organizations"][1], seen, "what was seen is kept");
    assert_eq!(open(&silent), Vec::<&str>::new(), "nobody is asked to scan what was scanned");
}

/// The example's organizations are seen, with the world's switches set so.
async fn ready_with(switches: Value) {
    let (scene, _operator) = begun(&tailspin(|world| world["switches"]["avepoint"] = switches)).await;
    until(&scene, "True", "Current").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_are_understood_whichever_way_avepoint_lists_them() {
    side_by_side(vec![
        ("one job on a page", ready_with(json!({ "largest_page": 1 }))),
        (
            "a week at most, tested by the end",
            ready_with(json!({ "longest_window_hours": 169, "job_window": "finish" })),
        ),
        (
            "the oldest first, running ones with an end long ago",
            ready_with(json!({ "job_order": "oldest_first", "running_jobs": "year_one" })),
        ),
        ("an id of AvePoint's own", ready_with(json!({ "organization_id": "own", "running_jobs": "hidden" }))),
    ])
    .await;
}

/// What the example says where the spec or the world is changed so: the condition, its status and reason, and a piece of it.
async fn says(world: String, spec: Value, (condition, status, reason): (&str, &str, &str), piece: &str) {
    let (scene, _operator) = begun(&world).await;
    if !spec.is_null() {
        set(&scene, spec).await;
    }
    let said = scene.until_condition("Connector", CONNECTOR, condition, status, reason).await;
    assert!(message(&said, condition).contains(piece), "{}", message(&said, condition));
    assert!(!said.to_string().contains("world-avepoint-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_apart_and_says_where_to_look() {
    let registration =
        |change: fn(&mut Value)| tailspin(move |world| change(&mut world["avepoint"][0]["registrations"][0]));
    let switched = |switches: Value| tailspin(move |world| world["switches"]["avepoint"] = switches);
    let refused = ("CredentialsValid", "False", "CredentialRefused");
    side_by_side(vec![
        (
            "the secret is another one",
            says(
                registration(|it| it["secrets"] = json!([{ "value": "changed" }])),
                Value::Null,
                refused,
                "its secret or certificate is wrong or has expired",
            ),
        ),
        (
            "the scope was not granted",
            says(
                registration(|it| it["scopes"] = json!(["audit.read.all"])),
                Value::Null,
                refused,
                "spec.vendor.avePoint.scope",
            ),
        ),
        (
            "the scope is spelled in the other way only",
            says(
                switched(json!({ "scope_casing": "endpoint_page" })),
                json!({ "scope": "Dynamics.ReadWrite.All" }),
                ("Ready", "True", "Current"),
                "backs up",
            ),
        ),
        (
            "the tenant is elsewhere",
            says(
                tailspin(|world| world["avepoint"][0]["data_center"] = json!("us")),
                Value::Null,
                ("Ready", "Unknown", "NotObservable"),
                "spec.vendor.avePoint.dataCenter",
            ),
        ),
        (
            "the address is not trusted",
            says(
                tailspin(|world| world["avepoint"][0]["trusted_addresses_only"] = json!(true)),
                Value::Null,
                ("Ready", "Unknown", "NotObservable"),
                "Trusted IP addresses",
            ),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connectors_of_one_app_registration_share_its_token_and_its_lists() {
    let scene = Scene::with_world(TAILSPIN).await;
    scene.apply_yaml(&example_of(FOLDER, "1-secrets.yaml")).await;
    scene.apply_yaml(&often("2-policy.yaml")).await;
    for at in 0..5 {
        let name = format!("name: tailspin-{at}");
        scene.apply_yaml(&often("3-connector.yaml").replace(&format!("name: {CONNECTOR}"), &name)).await;
    }
    let _operator = scene.operator_with("[]", &[]).await;
    for at in 0..5 {
        scene.until_condition("Connector", &format!("tailspin-{at}"), "Ready", "True", "Current").await;
    }
    assert_eq!(scene.asked(signs_in), 1);
    // At first four windows for four weeks and one for the last days; from then on the last days alone.
    let listed = scene.asked(lists_jobs);
    scene.until_asked(2, "two more looks", lists_jobs).await;
    let calls = scene.world.calls();
    let times: Vec<String> = calls
        .iter()
        .filter(|call| lists_jobs(call))
        .skip(listed)
        .map(|call| {
            let pairs: Vec<&str> = call.query.split('&').collect();
            let from = pairs.iter().find_map(|pair| pair.strip_prefix("startTime=")).unwrap();
            from.replace("%3A", ":")
        })
        .collect();
    let recent = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 4);
    assert!(times.iter().all(|from| from.parse::<jiff::Timestamp>().unwrap() > recent), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_leaves_everything_unknown_and_a_revoked_token_is_replaced() {
    let (scene, _operator) = begun(TAILSPIN).await;
    let ready = until(&scene, "True", "Current").await;
    let once = Fault { host: Some(GRAPH.into()), status: Some(401), times: Some(1), ..Fault::default() };
    scene.world.fault(once);
    scene.until_asked(1, "another sign-in", signs_in).await;
    until(&scene, "True", "Current").await;

    scene.world.fault(Fault { host: Some(GRAPH.into()), status: Some(503), ..Fault::default() });
    let dead = until(&scene, "Unknown", "Unreachable").await;
    assert_eq!(dead["status"]["organizations"], ready["status"]["organizations"]);
    assert_eq!(dead["status"]["lastBackup"], ready["status"]["lastBackup"]);
    scene.world.clear_faults();
    until(&scene, "True", "Current").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_to_the_app_profile_is_a_persons_and_attested_and_the_policy_makes_the_application_users() {
    let (scene, _operator) = begun(TAILSPIN).await;
    until(&scene, "True", "Current").await;
    scene.apply_yaml(&often("later/1-app-policy.yaml")).await;
    let patch = |file: &str| serde_yaml::from_str::<Value>(&example_of(FOLDER, file)).unwrap();
    scene.patch("Connector", CONNECTOR, patch("later/2-move.yaml")).await;
    let moving = until_seen(&scene, "the move", |it| open(it) == ["move-to-app-profile"]).await;
    assert_eq!(moving["status"]["authorization"]["profile"], "avePointServiceAccount", "until somebody says otherwise");
    // What the policy may do, it does: the app is an application user in every environment then.
    let policy = scene
        .until("the application users", "ServiceAccountPolicy", "avepoint-app", |it| {
            is(it, "Ready", "True", "Satisfied")
        })
        .await;
    assert_eq!(policy["status"]["failing"], 0);
    // Whoever consented administers each environment, too.
    let ada = json!({ "environment": "Tailspin Service", "user": "ada@tailspin.com", "role": "System Administrator" });
    scene.world.act("add-environment-user", ada).unwrap();
    scene.world.act("move-organization", json!({ "profile": "Dynamics app" })).unwrap();

    let attest = |time: &str| {
        let mut patch = patch("later/3-attest.yaml");
        patch["spec"]["vendor"]["avePoint"]["attestations"][0]["time"] = json!(time);
        patch
    };
    // One of before it worked with the service account says nothing of this move.
    scene.patch("Connector", CONNECTOR, attest("2026-01-01T00:00:00Z")).await;
    scene.until_asked(3, "some looks", lists_jobs).await;
    // A change of the spec or a look that fails meanwhile does not make it done.
    scene.patch("Connector", CONNECTOR, json!({ "spec": { "interval": "11s" } })).await;
    scene.until_asked(3, "some looks", lists_jobs).await;
    let still = scene.get("Connector", CONNECTOR).await;
    assert_eq!(open(&still), ["move-to-app-profile"]);
    let asked = |it: &Value| it["status"]["handOffs"][0]["requestTime"].clone();
    assert_eq!(asked(&still), asked(&moving), "asked for once");
    let done = scene.events().await.into_iter().filter(|(reason, _)| reason == "HandOffDone").count();
    assert_eq!(done, 0, "nobody has done it");
    // Nor has anybody done it tomorrow.
    scene.patch("Connector", CONNECTOR, attest("2099-01-01T00:00:00Z")).await;
    let wrong = until(&scene, "False", "InvalidSpec").await;
    assert!(message(&wrong, "Ready").contains("future"), "{wrong:#}");
    scene.patch("Connector", CONNECTOR, attest(&jiff::Timestamp::now().to_string())).await;
    let ready = until(&scene, "True", "Current").await;
    assert_eq!(ready["status"]["authorization"]["profile"], "avePointAppProfile");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_looked_for_can_not_be_declared() {
    let scene = Scene::with_world(TAILSPIN).await;
    let older = format!("{}  backup: {{ maxAge: 673h }}\n", example_of(FOLDER, "3-connector.yaml"));
    let said = scene.try_apply(&older).await.unwrap_err();
    assert!(said.contains("with AvePoint, backup.maxAge is 672h at most"), "{said}");
    scene.apply_yaml(&older.replace("673h", "672h")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_signs_in_as_well_and_one_that_has_ended_is_told() {
    let made = |until: i32| {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(["backstay".to_owned()]).unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        (params.self_signed(&pair).unwrap().pem(), pair.serialize_pem())
    };
    let put = |(certificate, key): &(String, String)| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "name": "avepoint-certificate", "labels": { "backstay.dev/use": "true" } },
            "stringData": { "tls.crt": certificate, "tls.key": key },
        })
        .to_string()
    };
    let switch = json!({ "assertion_names_certificate": true });
    let (scene, _operator) = begun(&tailspin(|world| world["switches"]["avepoint"] = switch)).await;
    let (right, ended) = (made(2100), made(2021));
    let client = "ed0a5cad-0000-4000-8000-00000000a05b";
    let words =
        json!({ "name": "By certificate", "client_id": client, "pem": right.0, "scopes": "dynamics.readwrite.all" });
    scene.world.act("register-aos-app", words).unwrap();
    scene.apply_yaml(&put(&ended)).await;
    let certificate = json!({ "clientID": client, "secretRef": { "name": "avepoint-certificate" } });
    set(&scene, json!({ "credential": { "clientSecret": null, "clientCertificate": certificate } })).await;
    let refused = scene.until_condition("Connector", CONNECTOR, "CredentialsValid", "False", "CredentialRefused").await;
    assert!(message(&refused, "CredentialsValid").contains("the certificate in tls.crt has expired"), "{refused:#}");
    scene.apply_yaml(&put(&right)).await;
    until(&scene, "True", "Current").await;
}
