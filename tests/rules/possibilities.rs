//! Where nobody is sure how Microsoft behaves, the operator is right either way: the world tries both.

use serde_json::{Value, json};

use crate::harness::Scene;
use crate::harness::calls::{contoso, side_by_side};
use crate::{FLUENT_PRO, SECRET, environments, judged, policy};

/// The whole story, from nothing to Ready, with the world's switches set so.
async fn the_story(switches: Value) {
    let scene = Scene::with_world(&contoso(|world| world["switches"] = switches)).await;
    scene.apply_example().await;
    let _operator = scene.operator().await;
    scene.until_connector("Ready", "False", "AwaitingPerson").await;
    scene.play_the_person();
    scene.until_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_ends_well_whichever_way_microsoft_behaves() {
    side_by_side(vec![
        ("a duplicate is 409", the_story(json!({ "duplicate_assignment": 409 }))),
        ("permissions are looked up at every call", the_story(json!({ "permissions_in_token": false }))),
        ("pages are small", the_story(json!({ "graph_page_size": 1, "bap_page_size": 1 }))),
        (
            "what is written shows later",
            the_story(json!({ "lag": { "graph_reads": 3, "dataverse_reads": 3, "new_row_reads": 2 } })),
        ),
        (
            "a wait is given as a date",
            the_story(json!({ "limits": { "retry_after_as_date": true, "graph_units": 40 } })),
        ),
        ("addUser says nothing when it does nothing", the_story(json!({ "add_user_in_vain": "silent" }))),
    ])
    .await;
}

/// Fabrikam with these switches: the same is found.
async fn the_same_is_found(switches: Value) {
    let mut world: Value = serde_yaml::from_str(backstay_world::FABRIKAM).unwrap();
    world["switches"] = switches;
    let scene = Scene::with_world(&world.to_string()).await;
    scene.apply_yaml(SECRET).await;
    let profiles = json!({
        "keepitPowerPlatform": {},
        "keepitDynamicsCE": {},
        "fluentProDataverse": { "clientID": FLUENT_PRO, "tables": ["account", "opportunity"], "includeRelatedTables": false },
    });
    scene.apply_yaml(&policy(&profiles, &json!({ "environments": environments(&[1]) }))).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    for (id, result, piece) in [
        ("keepitDynamicsCE/global-administrator", "Fail", "only eligible"),
        ("keepitPowerPlatform/dynamics-365-administrator", "Warn", "through the group"),
        // A filter on the rows makes a part of it; none does not, however it is written.
        ("fluentProDataverse/table-privileges", "Fail", "Read on opportunity only for some"),
    ] {
        assert!(found[id].0 == result && found[id].1.contains(piece), "{id}: {:?}", found[id]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_does_not_depend_on_how_microsoft_writes_it() {
    side_by_side(vec![
        ("schedules of groups show under their members", the_same_is_found(json!({ "group_schedules": "of_members" }))),
        ("schedules of groups show under the group", the_same_is_found(json!({ "group_schedules": "of_group" }))),
        ("no filter is null", the_same_is_found(json!({ "record_filter_null": true }))),
        ("no filter is a GUID of zeroes", the_same_is_found(json!({ "record_filter_null": false }))),
    ])
    .await;
}
