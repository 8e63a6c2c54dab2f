//! The commands that show what is: for people who look, and for programs that wait.

use serde_json::{Value, json};

use crate::harness::calls::settled;
use crate::harness::{ACCOUNT, CONNECTOR, POLICY, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_whose_turn_it_is_and_what_comes_of_a_look_is_shown() {
    let scene = Scene::new().await;
    let here = ["-n", &scene.namespace];
    let person = scene.person(&["get", "list", "patch"]).await;
    let say = |words: &[&str]| scene.backstay_with(&person, &[words, &here].concat(), "");
    let empty = say(&["status"]);
    assert!(empty.out.contains("No Connector and no ServiceAccountPolicy in namespace"), "{}", empty.out);

    let operator = scene.operator().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    scene.until_connector("Ready", "False", "DependencyMissing").await;
    scene.until_policy("Ready", "False", "DependencyMissing").await;
    let status = say(&["status"]);
    assert!(status.out.contains(&format!("ServiceAccountPolicy {}/{POLICY}", scene.namespace)), "{}", status.out);
    assert!(status.out.contains(&format!("└─ ? Connector {CONNECTOR}")), "{}", status.out);
    assert!(status.out.contains("DependencyMissing: Secret"), "{}", status.out);
    assert!(!status.out.contains('\u{1b}'), "no colour but on a terminal");

    scene.apply_secrets().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    let turns = say(&["handoffs"]);
    let connector = scene.connector().await;
    let title = connector["status"]["handOffs"][0]["title"].as_str().unwrap();
    assert!(turns.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(title), "{}", turns.out);
    assert!(turns.out.contains("  1. ") && turns.out.contains("Done when"), "{}", turns.out);
    let all: Vec<Value> = serde_json::from_str(&say(&["handoffs", "-o", "json"]).out).unwrap();
    assert!(all.iter().any(|it| it["object"] == CONNECTOR && it["title"] == title), "{all:#?}");

    let waited = say(&["reconcile", CONNECTOR, "--wait"]);
    assert_eq!(waited.code, Some(1), "{}", waited.out);
    assert!(waited.err.contains("Ready=False AwaitingPerson"), "{}", waited.err);
    scene.play_the_person();
    scene.until_ready().await;
    let waited = say(&["reconcile", CONNECTOR, "--wait"]);
    assert_eq!(waited.code, Some(0), "{}", waited.err);
    assert!(waited.out.contains("Ready=True Current"), "{}", waited.out);
    let unknown = say(&["reconcile", "nobody"]);
    assert!(unknown.err.contains("there is no Connector nobody in namespace"), "{}", unknown.err);
    let trees: Value = serde_yaml::from_str(&say(&["status", "-o", "yaml"]).out).unwrap();
    assert_eq!(trees[0]["connectors"][0]["ready"]["reason"], "Current", "{trees:#}");

    for (words, candidate) in [
        (&["rec"][..], "reconcile\t"),
        (&["reconcile", "-n", &scene.namespace, "contoso"], CONNECTOR),
        (&["reconcile", "-n", &scene.namespace, "policy/"], POLICY),
        (&["status", "-o", "j"], "json"),
    ] {
        let said = scene.completed(&person, words);
        assert!(said.out.contains(candidate) && said.out.ends_with("\n:4\n"), "{words:?}: {}{}", said.out, said.err);
        assert_eq!(said.out.lines().count(), 2, "{words:?}: {}", said.out);
    }

    scene.patch("Connector", CONNECTOR, json!({ "spec": { "suspend": true } })).await;
    let asleep = say(&["reconcile", CONNECTOR, "--wait"]);
    assert!(asleep.err.contains("is suspended"), "{}", asleep.err);
    assert_eq!(say(&["handoffs"]).out, format!("Nobody is waited for in namespace {}\n", scene.namespace));
    drop(operator);
}

/// What nobody has looked at is neither fine nor anybody's turn.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_for_an_operator_that_has_not_looked() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let say = |words: &[&str]| scene.backstay(&[words, &["-n", &scene.namespace]].concat(), "");
    let none = say(&["handoffs"]);
    assert!(
        none.out.contains("No Connector and no ServiceAccountPolicy in namespace") && none.err.is_empty(),
        "{}",
        none.err
    );
    scene.apply_example().await;
    let turns = say(&["handoffs"]);
    assert!(turns.err.contains("no operator has looked at 2 objects yet"), "{}{}", turns.out, turns.err);
    for word in ["reauthenticate", "begin", "done"] {
        let said = say(&[word, CONNECTOR]);
        assert!(said.err.contains("no operator has looked at Connector"), "{word}: {}{}", said.out, said.err);
        assert_eq!(said.code, Some(1));
    }
    let marks = scene.connector().await["metadata"]["annotations"].to_string();
    assert!(!marks.contains("backstay.dev/reauthenticate"), "{marks}");
    let stranger = scene.backstay_with("nobody", &["doctor", "-n", &scene.namespace], "");
    assert!(stranger.out.contains("the API server does not know you"), "{}", stranger.out);
    assert_eq!(stranger.code, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_keeps_it_from_working() {
    let scene = Scene::new().await;
    let own = scene.namespace.clone();
    let ca = scene.folder.join("ca.pem").display().to_string();
    let words = ["doctor", "-n", &own, "--operator-namespace", &own, "--ca-bundle", &ca];
    // As the operator's own user, who may not look at the kinds themselves.
    let examine = || scene.backstay(&words, "");
    let nobody = examine();
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.out.contains("✗ operator: none has ever led"), "{}", nobody.out);

    let operator = scene.operator().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    scene.apply_yaml(&scene.connector_yaml()).await;
    let missing = examine();
    assert_eq!(missing.code, Some(1), "{}", missing.out);
    assert!(missing.out.contains("entra-backstay is not there"), "{}", missing.out);
    scene.apply_secrets().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    let fine = examine();
    assert_eq!(fine.code, Some(0), "{}{}", fine.out, fine.err);
    for line in ["✓ clock", "CredentialsValid: Accepted", "AccountPinned: Pinned"] {
        assert!(fine.out.contains(line), "{line}: {}", fine.out);
    }
    drop(operator);
}

/// A look at a Connector is one at its policy, too, however rarely that is looked at by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_is_not_told_what_was_true_an_hour_ago() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let _operator = scene.operator_with("[]", &[]).await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml().replace("interval: 10s", "interval: 1h")).await;
    scene.patch("ServiceAccountPolicy", POLICY, json!({ "spec": { "allowedActions": [] } })).await;
    scene.apply_yaml(&scene.connector_yaml().replace("interval: 10s", "interval: 1h")).await;
    scene.until_ready().await;
    let person = scene.person(&["get", "list", "patch"]).await;
    let look = || scene.backstay_with(&person, &["reconcile", CONNECTOR, "--wait", "-n", &scene.namespace], "");
    assert_eq!(look().code, Some(0));
    let role = json!({ "user": ACCOUNT, "role": "Power Platform Administrator" });
    scene.world.act("remove-directory-role", role.clone()).unwrap();
    let said = look();
    assert_eq!(said.code, Some(1), "{}", said.out);
    assert!(said.err.contains("does not hold Power Platform Administrator"), "{}", said.err);
    let status = scene.backstay(&["status", "-n", &scene.namespace], "");
    assert!(status.out.contains("if spec.allowedActions named DirectoryRoles"), "{}", status.out);
    scene.world.act("grant-directory-role", role).unwrap();
    assert_eq!(look().code, Some(0));
}

/// Who sees the two kinds and nothing else is not told that the operator could not read a Secret.
#[tokio::test(flavor = "multi_thread")]
async fn what_who_asks_may_not_read_is_not_held_against_the_operator() {
    let scene = Scene::with_world(&settled(|_| {})).await;
    let _operator = scene.operator().await;
    scene.apply_example().await;
    scene.until_ready().await;
    let token = scene.person(&["get", "list"]).await;
    let here = ["-n", &scene.namespace];
    let said = scene.backstay_with(&token, &[&["doctor"], &here[..]].concat(), "");
    assert!(said.out.contains("? your rights: you may not read the Secrets"), "{}", said.out);
    assert!(said.out.contains("CredentialsValid: Accepted") && !said.out.contains('✗'), "{}", said.out);
    let policy = scene.policy_yaml().replace("namespace: backup", &format!("namespace: {}", scene.namespace));
    let plan = scene.backstay_with(&token, &[&["plan", "-f", "-"], &here[..]].concat(), &policy);
    assert!(plan.out.contains("RBAC does not permit reading Secret"), "{}{}", plan.out, plan.err);
    assert!(!plan.out.contains("Nothing to be done"), "{}", plan.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_shell_is_given_what_completes_the_commands_under_both_names() {
    let scene = Scene::new().await;
    for shell in ["bash", "zsh", "fish"] {
        let said = scene.backstay(&["completion", shell], "");
        assert_eq!(said.code, Some(0), "{}", said.err);
        for word in ["kubectl-backstay", "handoffs", "reauthenticate"] {
            assert!(said.out.contains(word), "{shell}: {word}");
        }
    }
}

/// What the examples hold is right, and what is wrong between files is told with its place.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_checked_before_they_are_merged() {
    let scene = Scene::new().await;
    let root = crate::harness::root().join("examples");
    for folder in std::fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap().path().display().to_string();
        let said = scene.backstay(&["check", &folder], "");
        assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
        assert!(said.out.contains("nothing is wrong") || said.out.contains("warning"), "{}", said.out);
    }
    assert_eq!(scene.backstay(&["check", "not-there.yaml"], "").code, Some(2));
    // What can't be opened hides nothing of the rest.
    let both =
        scene.backstay(&["check", "not-there.yaml", "-"], &scene.connector_yaml().replace("maxAge: 36h", "maxAge: 3m"));
    assert!(
        both.code == Some(2) && both.err.contains("not-there.yaml") && both.out.contains("spec.backup.maxAge"),
        "{}",
        both.out
    );
    let no_yaml = scene.backstay(&["check", "-"], "apiVersion: backstay.dev/v1alpha1\nkind: [Connector\nspec: {}\n");
    assert!(
        no_yaml.code == Some(1) && no_yaml.out.starts_with("-:") && no_yaml.out.contains("can't be read"),
        "{}",
        no_yaml.out
    );

    // What else stands on a line, and what a terminal would obey, is not shown.
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "stringData": { "password": "hunter2" } });
    let mut wrong: Value = serde_yaml::from_str(&scene.connector_yaml()).unwrap();
    wrong["spec"]["\u{1b}[2Jnothing"] = json!("x");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [secret, wrong, secret] }).to_string();
    let said = scene.backstay(&["check", "-"], &list);
    assert!(said.code == Some(1) && said.out.contains("unknown field"), "{}", said.out);
    assert!(!said.out.contains("hunter2") && !said.out.contains('\u{1b}'), "{}", said.out);
    // An overlay's patches are parts of objects, and what a base lacks it may add.
    let overlay = scene.folder.join("overlay");
    std::fs::create_dir_all(&overlay).unwrap();
    let write = |name: &str, text: &str| std::fs::write(overlay.join(name), text).unwrap();
    write("kustomization.yaml", "resources: [base.yaml]\npatches: [{ path: ./older.yaml }]\n");
    let unlabelled = "{ apiVersion: v1, kind: Secret, metadata: { name: entra-backstay, namespace: backup }, stringData: { client-secret: a } }";
    write("base.yaml", &format!("{}\n---\n{}\n---\n{unlabelled}\n", scene.policy_yaml(), scene.connector_yaml()));
    write(
        "older.yaml",
        &format!(
            "apiVersion: backstay.dev/v1alpha1\nkind: Connector\nmetadata: {{ name: {CONNECTOR} }}\nspec: {{ backup: {{ maxAge: 72h }} }}\n"
        ),
    );
    write("template.yaml", "a: [{{ .Values.x }\n  labels: { backstay.dev/use: x }\n");
    let said = scene.backstay(&["check", &overlay.display().to_string()], "");
    assert!(said.code == Some(0) && said.out.contains("2 objects checked: 0 errors"), "{}", said.out);

    let doubled = scene.connector_yaml().replace("spec:", "spec: {}\nspec:");
    for words in [["plan", "-f", "-"], ["permissions", "-f", "-"]] {
        let said = scene.backstay(&words, &doubled);
        assert!(said.code == Some(1) && said.err.contains("duplicated key"), "{}{}", said.out, said.err);
    }
    let files = format!("{}\n---\n{}\n---\n", scene.policy_yaml(), scene.connector_yaml());
    let secret = "{ apiVersion: v1, kind: Secret, metadata: { name: keepit-api, namespace: backup }, stringData: { username: a } }";
    let check = |text: &str| {
        let said = scene.backstay(&["check", "-o", "json", "-"], text);
        let all: Vec<Value> = serde_json::from_str(&said.out).unwrap_or_default();
        let told = |it: &Value| format!("{}: {}: {}", it["line"], it["field"], it["message"]);
        (said.code, all.iter().map(told).collect::<Vec<_>>())
    };
    let (code, all) = check(&format!("{files}{secret}"));
    assert_eq!(code, Some(1));
    assert!(all.iter().any(|it| it.contains("no label backstay.dev/use")), "{all:#?}");
    assert!(all.iter().any(|it| it.contains("no key password")), "{all:#?}");
    let (code, all) = check(&scene.connector_yaml());
    assert!(
        code == Some(0) && all.len() == 1 && all[0].contains("no ServiceAccountPolicy"),
        "only worth knowing: {all:#?}"
    );
    // Free, and no license for the vendor; and a license that nobody asks for.
    let licenses = "  licenses: { families: [{ name: PowerAutomatePremium, extraSKUIDs: [f30db892-07e9-47e9-837c-80727f46fd3d] }, { name: Project }] }";
    let (code, all) = check(&format!("{}{licenses}\n", scene.policy_yaml()));
    assert_eq!(code, Some(0));
    assert!(
        all.iter().any(|it| it.contains("f30db892-07e9-47e9-837c-80727f46fd3d is Microsoft Power Automate Free")),
        "{all:#?}"
    );
    assert!(all.iter().any(|it| it.contains("families[1]\": \"no profile of this policy asks for")), "{all:#?}");
    let other = files.replace("keepitPowerPlatform:", "avePointServiceAccount: {}\n    other:");
    let (code, all) = check(
        &other
            .lines()
            .filter(|line| {
                !["other:", "workloads:", "globalAdministratorAfterSetup"].iter().any(|word| line.contains(word))
            })
            .collect::<Vec<_>>()
            .join("\n"),
    );
    assert!(code == Some(1) && all.iter().any(|it| it.contains("no profile for this vendor")), "{all:#?}");

    let caret = scene.backstay(&["check", "-"], &files.replace("maxAge: 36h", "maxAge: 3m"));
    let lines: Vec<&str> = caret.out.lines().collect();
    assert!(lines[0].contains("spec.backup.maxAge: must be at least 1h"), "{}", caret.out);
    assert_eq!(lines[2].find('^'), lines[1].find("maxAge"), "{}", caret.out);
}
