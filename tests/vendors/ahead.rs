//! What is said before anything is done: `backstay import` and `backstay plan`.

use backstay_world::TAILSPIN;
use serde_json::{Value, json};

use crate::harness::calls::{at_keepit, contoso};
use crate::harness::{AT_KEEPIT, CONNECTOR, POLICY, Scene, example_of, is};
use crate::keepit::{OLD, called, changes, with};

fn keepit<'a>(scene: &'a Scene, more: &[&'a str]) -> Vec<&'a str> {
    let usual = ["import", "--vendor", "keepit", "--region", "dk-co", "--secret", "keepit-api", "--policy", POLICY];
    [&usual[..], &["-n", scene.namespace.as_str()], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_is_adopted_as_it_is_and_nothing_changes() {
    let scene = Scene::with_world(&with(&[
        called(AT_KEEPIT, OLD, &json!({ "retention": "P1Y" })),
        // Whoever names a connector must not write what is applied.
        called("Søn & Datter\n---\nkind: Pod", "dddddd-eeeeee-ffffff", &json!({})),
        called("On its way out", "gggggg-hhhhhh-iiiiii", &json!({ "deletion_deadline": "2027-01-01T00:00:00Z" })),
    ]))
    .await;
    let _operator = scene.operator().await;
    scene.apply_secrets().await;
    scene.apply_yaml(&scene.policy_yaml()).await;
    let first = scene.backstay(&keepit(&scene, &[]), "");
    assert_eq!((first.code, first.err.as_str()), (Some(0), ""));
    assert!(first.out.contains("# \"On its way out\": scheduled for deletion"), "{}", first.out);
    assert!(!first.out.contains("world-keepit-password"), "{}", first.out);
    let before = scene.world.state();

    scene.apply_yaml(&first.out).await;
    for (name, id) in [(CONNECTOR, OLD), ("s-n-datter-kind-pod", "dddddd-eeeeee-ffffff")] {
        let ready = scene.until_condition("Connector", name, "Ready", "True", "Current").await;
        assert_eq!(ready["status"]["connectorID"], id);
        assert!(is(&ready, "InSync", "True", "InSync"), "{ready:#}");
        assert_eq!((&ready["status"]["drift"], &ready["status"]["plan"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(scene.asked(changes), 0, "{:?}", scene.written());
    assert_eq!(scene.world.state()["keepit"], before["keepit"]);
    let again = scene.backstay(&keepit(&scene, &[]), "");
    assert!(!again.out.contains("kind: Connector"), "{}", again.out);
    assert!(again.out.contains(&format!("# \"{AT_KEEPIT}\": a Connector stands for it already")), "{}", again.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_of_avepoint_are_imported_as_one_connector() {
    let scene = Scene::with_world(TAILSPIN).await;
    let folder = "avepoint-dynamics-365";
    let _operator = scene.operator_with("[]", &[]).await;
    scene.apply_yaml(&example_of(folder, "1-secrets.yaml")).await;
    scene.apply_yaml(&example_of(folder, "2-policy.yaml")).await;
    let client = "ed0a5cad-0000-4000-8000-00000000a05a";
    let arguments = ["import", "--vendor", "avepoint", "--data-center", "we", "--client-id", client];
    let more = ["--secret", "avepoint-api", "--policy", "avepoint-account", "-n", &scene.namespace];
    let said = scene.backstay(&[&arguments[..], &more].concat(), "");
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    for organization in ["Tailspin Sales", "Tailspin Service", "Tailspin Toys"] {
        assert!(said.out.contains(organization), "{}", said.out);
    }
    scene.apply_yaml(&said.out).await;
    let seen = scene.until_condition("Connector", "avepoint", "Provisioned", "True", "Adopted").await;
    assert_eq!(seen["status"]["undeclared"], Value::Null, "{seen:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_done_is_said_and_nothing_is_written() {
    let scene = Scene::with_world(&contoso(|world| {
        world["keepit"][0]["accounts"][0]["connectors"] = json!([at_keepit("Theirs")]);
    }))
    .await;
    scene.apply_secrets().await;
    let files = format!("{}---\n{}", scene.policy_yaml(), scene.connector_yaml());
    let grants = scene.folder.join("planned.yaml");
    std::fs::write(&grants, scene.grants()).unwrap();
    // The examples name a namespace that this user may not look into.
    let files = files.replace("namespace: backup", &format!("namespace: {}", scene.namespace));
    let plan = |more: &[&str]| {
        let usual = ["plan", "-f", "-", "-n", &scene.namespace, "--grants", grants.to_str().unwrap()];
        scene.backstay(&[&usual[..], more].concat(), &files)
    };
    let said = plan(&[]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert!(said.out.contains("(not in the cluster yet)"), "{}", said.out);
    assert!(said.out.contains("The operator would: EnrollSelf Create Contoso Sales"), "{}", said.out);
    assert!(said.out.contains("Sign in as svc-backup@contoso.com and create the connector"), "{}", said.out);
    let data: Value = serde_json::from_str(&plan(&["-o", "json"]).out).unwrap();
    assert_eq!(data[0]["handOffs"][0]["name"], "create-connector", "{data:#}");
    assert!(data[1]["plan"].as_array().is_some_and(|steps| !steps.is_empty()), "{data:#}");
    assert_eq!(scene.written(), Vec::<String>::new());
    let wrote: Vec<_> = scene
        .audit()
        .into_iter()
        .filter(|entry| !matches!(entry.verb.as_str(), "get" | "list" | "watch") && entry.code < 300)
        .collect();
    assert_eq!(wrote, [], "nothing in the cluster either");
    assert_eq!(scene.get("Connector", CONNECTOR).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_what_is_there_goes_on_from_its_status() {
    let scene = Scene::with_world(&with(&[called("An old name", OLD, &json!({}))])).await;
    let _operator = scene.operator().await;
    let spec = json!({ "adoption": { "policy": "ByID", "connectorID": OLD } });
    crate::keepit::apply(&scene, &spec).await;
    scene.until_connector("InSync", "False", "Drifted").await;
    let mut changed: Value = serde_yaml::from_str(&scene.connector_yaml()).unwrap();
    changed["metadata"]["namespace"] = json!(scene.namespace);
    changed["spec"]["adoption"] = spec["adoption"].clone();
    changed["spec"]["driftPolicy"] = json!("Correct");
    changed["spec"]["allowedActions"] = json!(["Rename"]);
    let none = scene.folder.join("none.yaml");
    std::fs::write(&none, "[]").unwrap();
    for (grants, would) in [
        (&["--grants", none.to_str().unwrap()][..], "would, if a grant of the installation covered Rename"),
        // Nobody says here what is granted.
        (&[], "would"),
    ] {
        let said = scene.backstay(&[&["plan", "-f", "-"], grants].concat(), &changed.to_string());
        let wanted = format!("The operator {would}: Rename Change {AT_KEEPIT}");
        let out = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(out.contains(&wanted), "{}{}", said.out, said.err);
        assert_eq!(said.err.contains("taken for granted"), grants.is_empty(), "{}", said.err);
    }
    assert_eq!(scene.asked(changes), 0, "{:?}", scene.written());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_planned_alone_rests_on_the_connectors_that_are_there() {
    let scene = Scene::with_world(&contoso(|_| {})).await;
    let operator = scene.operator_with("[]", &[]).await;
    scene.apply_example().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    assert_eq!(operator.stop().await, Some(0));
    let grants = scene.folder.join("planned.yaml");
    std::fs::write(&grants, scene.grants()).unwrap();
    let file = scene.policy_yaml().replace("namespace: backup", &format!("namespace: {}", scene.namespace));
    let said = scene.backstay(&["plan", "-f", "-", "--grants", grants.to_str().unwrap()], &file);
    assert!(said.out.contains("The operator would: EnrollSelf Create Contoso Sales"), "{}{}", said.out, said.err);
    assert!(!said.out.contains("Connector "), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_planned_or_imported_is_one_sentence() {
    let scene = Scene::with_world(&with(&[])).await;
    let misspelt = scene.connector_yaml().replace("  backup:", "  back-up:");
    for (arguments, input, sentence) in [
        (vec!["plan", "-f", "-"], "kind: Pod\n", "-: no Connector and no ServiceAccountPolicy in it"),
        (vec!["plan", "-f", "-"], misspelt.as_str(), "-: Connector contoso-power-platform: unknown field spec.back-up"),
        (vec!["plan", "-f", "nowhere.yaml"], "", "nowhere.yaml: No such file"),
        (vec!["import", "--vendor", "fluentpro", "--policy", "p"], "", "FluentPro shows nothing to a program"),
        (vec!["import", "--vendor", "keepit", "--policy", "p"], "", "--vendor keepit needs --region"),
        (keepit(&scene, &[]), "", "keepit-api is not there"),
    ] {
        let said = scene.backstay(&arguments, input);
        assert_eq!(said.code, Some(1), "{arguments:?}: {}", said.out);
        assert!(said.err.contains(sentence) && said.err.lines().count() == 1, "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
}
