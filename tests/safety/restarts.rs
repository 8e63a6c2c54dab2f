//! Neither a lost status nor a lost answer nor a killed process makes the operator do a thing twice.

use std::collections::BTreeMap;

use backstay_world::{Call, Fault};
use serde_json::{Value, json};

use crate::harness::calls::{
    BAP, GRAPH, KEEPIT, ORGANIZATIONS, assignments, assigns_role, contoso, enrolls, held, removes, said, settled,
};
use crate::harness::{CONNECTOR, GLOBAL_ADMINISTRATOR, POLICY, Scene, condition};
use crate::{scene, scene_of};

/// How many writes the walk of the example takes.
const WRITES: usize = 7;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_status_makes_no_demand_and_repeats_nothing() {
    let scene = scene().await;
    let id = scene.play_the_person();
    scene.apply_example().await;
    let mut operator = scene.operator().await;
    scene.until_ready().await;
    assert_eq!(scene.written().len(), WRITES, "{:?}", scene.written());

    for lost in [None, Some(json!({}))] {
        assert_eq!(operator.stop().await, Some(0));
        scene.replace_status("Connector", CONNECTOR, lost.clone()).await;
        scene.replace_status("ServiceAccountPolicy", POLICY, lost).await;
        assert_eq!(condition(&scene.connector().await, "Ready"), &Value::Null, "it is really lost");

        operator = scene.operator().await;
        let connector = scene.until_ready().await;
        assert_eq!(connector["status"]["connectorID"], id.as_str(), "the same one is adopted again");
        assert_eq!(scene.written().len(), WRITES, "{:?}", scene.written());
        assert_eq!(held(&scene.world), ["Dynamics 365 Administrator", "Power Platform Administrator"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_status_makes_no_demand_while_keepit_is_silent() {
    let scene = scene_of(&settled(|_| {})).await;
    scene.apply_example().await;
    let operator = scene.operator().await;
    let before = scene.until_ready().await;
    assert_eq!(operator.stop().await, Some(0));
    scene.replace_status("Connector", CONNECTOR, None).await;
    scene.replace_status("ServiceAccountPolicy", POLICY, None).await;
    scene.world.fault(Fault { host: Some(KEEPIT.into()), status: Some(503), ..Fault::default() });

    let _operator = scene.operator().await;
    scene.until_connector("Ready", "Unknown", "Unreachable").await;
    let policy = scene
        .until("the policy to be judged", "ServiceAccountPolicy", POLICY, |policy| {
            !policy["status"]["findings"].is_null()
        })
        .await;
    assert_eq!(
        crate::harness::finding(&policy, "global-administrator")["result"],
        "NotApplicable",
        "nobody asks for it"
    );
    scene.until_more_reads(2).await;
    assert_eq!(scene.written(), Vec::<String>::new(), "nobody asks for it");
    let policy = scene.policy().await;
    assert_eq!(policy["status"]["handOffs"], Value::Null, "and nobody is asked for it");

    scene.world.clear_faults();
    let after = scene.until_ready().await;
    assert_eq!(after["status"]["connectorID"], before["status"]["connectorID"]);
    assert_eq!(scene.written(), Vec::<String>::new());
}

/// Lets the next write of each kind be done, but its answer be lost.
fn lose_answers(scene: &Scene, how: &Fault) {
    let write = |host: &str, path: Option<String>, method: &str| {
        scene.world.fault(Fault {
            host: Some(host.into()),
            path,
            method: Some(method.into()),
            times: Some(1),
            applied: true,
            ..how.clone()
        });
    };
    write(GRAPH, assignments(), "POST");
    write(GRAPH, assignments(), "DELETE");
    write(BAP, Some("/providers/*/addAppUser".into()), "POST");
    for organization in ORGANIZATIONS {
        write(organization, Some("/api/data/v9.2/systemusers(".into()), "POST");
    }
}

fn struck(scene: &Scene) -> usize {
    scene.asked(|call| call.write && call.fault.is_some())
}

/// How often each write was asked for.
fn each(scene: &Scene) -> BTreeMap<String, usize> {
    let mut each = BTreeMap::new();
    for call in scene.world.writes() {
        *each.entry(said(&call)).or_default() += 1;
    }
    each
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_right_after_a_write_repeats_none_of_them() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_example().await;
    for killed in 0..WRITES {
        assert_eq!(struck(&scene), killed, "{:?}", scene.written());
        // Done, but never answered: the process hangs on it until it is killed.
        lose_answers(&scene, &Fault { hang: true, ..Fault::default() });
        let operator = scene.operator().await;
        scene.until_true(&format!("write {}", killed + 1), || struck(&scene) > killed).await;
        operator.kill();
        scene.world.clear_faults();
    }
    let _operator = scene.operator().await;
    scene.until_ready().await;
    let each = each(&scene);
    assert_eq!(each.len(), WRITES, "{each:?}");
    assert!(each.values().all(|times| *times == 1), "{each:?}");
    assert_eq!(held(&scene.world), ["Dynamics 365 Administrator", "Power Platform Administrator"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_is_lost_is_read_back_and_not_repeated() {
    let scene = scene().await;
    scene.play_the_person();
    scene.apply_example().await;
    lose_answers(&scene, &Fault { reset: true, ..Fault::default() });
    let _operator = scene.operator().await;
    scene.until_ready().await;
    let each = each(&scene);
    // The three environments share a rule, so that one of their enrolments is answered twice.
    assert_eq!(struck(&scene), 5, "{:?}", scene.world.writes());
    assert_eq!(each.len(), WRITES, "{each:?}");
    assert!(each.values().all(|times| *times == 1), "{each:?}");
    let told: Vec<String> = scene.events().await.into_iter().map(|(reason, _)| reason).collect();
    assert!(told.contains(&"StepFailed".to_owned()), "{told:?}");
}

#[allow(clippy::needless_pass_by_value)] // a literal at every place
fn lagging(switches: Value) -> String {
    contoso(|world| world["switches"] = json!({ "lag": switches }))
}

/// Writes of a kind, each with its status.
fn outcomes(scene: &Scene, what: fn(&Call) -> bool) -> Vec<u16> {
    scene.world.writes().iter().filter(|call| what(call)).map(|call| call.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_a_little_later_is_waited_for_and_not_written_again() {
    let scene = scene_of(&lagging(json!({ "graph_reads": 2, "dataverse_reads": 3, "new_row_reads": 2 }))).await;
    scene.play_the_person();
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_ready().await;
    let each = each(&scene);
    assert_eq!(each.len(), WRITES, "{each:?}");
    assert!(each.values().all(|times| *times == 1), "{each:?}");
    assert!(scene.world.writes().iter().all(|call| call.status < 300), "{:?}", scene.world.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_shows_much_later_is_done_once_and_nothing_is_removed_before() {
    const LAG: usize = 12;
    let scene = scene_of(&lagging(json!({ "graph_reads": LAG, "dataverse_reads": LAG, "new_row_reads": 7 }))).await;
    scene.play_the_person();
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_policy("Ready", "False", "Propagating").await;
    scene.until_ready().await;

    assert_eq!(outcomes(&scene, assigns_role).iter().filter(|status| **status == 201).count(), 1);
    assert!(outcomes(&scene, assigns_role).iter().all(|status| matches!(status, 201 | 400)), "at most the conflict");
    assert_eq!(outcomes(&scene, removes).iter().filter(|status| **status == 204).count(), 1);
    assert!(outcomes(&scene, removes).iter().all(|status| matches!(status, 204 | 404)), "at most that it is gone");
    // Enrolling again changes nothing, and can't be told from the first time.
    assert!(outcomes(&scene, enrolls).len() <= 2 * 3, "{:?}", scene.written());
    assert!(scene.written().len() <= 3 * WRITES, "{:?}", scene.written());

    let calls = scene.world.calls();
    let first = |what: fn(&Call) -> bool| calls.iter().position(|call| what(call) && call.status < 300).unwrap();
    let between = &calls[first(assigns_role)..first(removes)];
    let reads =
        between.iter().filter(|call| Some(&call.path) == assignments().as_ref() && call.method == "GET").count();
    assert!(reads > LAG, "the new role shows after {LAG} reads, but there were only {reads} before the removal");
    assert!(!held(&scene.world).contains(&GLOBAL_ADMINISTRATOR.to_owned()));
}
