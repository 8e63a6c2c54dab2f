//! Readiness without the right to see: an administrator runs the commands of the hand-off, and the operator reads, and no more.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::Scene;
use crate::harness::calls::side_by_side;
use crate::{ACCOUNT, ACCOUNT_ID, APP, FLUENT_PRO, NAME, SECRET, environments, findings, judged, policy};

/// A System Administrator of the environments: an app here, a person in reality.
const ADMINISTRATOR: &str = "ad000000-2222-4222-8333-444455556666";
const ADMINISTRATORS_SECRET: &str = "world-administrators-secret";
const FINANCE: &str = "fabrikam-finance.crm.dynamics.com";
const PROJECTS: &str = "fabrikam-projects.crm.dynamics.com";
const PRIVILEGES: [&str; 3] = ["prvReadUser", "prvReadRole", "prvReadTeam"];
/// What asks about the account in environments: all reads that there are.
const RULES: [&str; 5] = [
    "keepitPowerPlatform/environment-member",
    "keepitPowerPlatform/system-administrator",
    "keepitPowerPlatform/read-write",
    "fluentProDataverse/access-mode",
    "fluentProDataverse/table-privileges",
];

/// Fabrikam, whose account is an ordinary user of Finance and Projects. In Finance the operator's app is a user whose role lacks
/// teams, in Projects it is none.
async fn scene() -> Scene {
    let mut world: Value = serde_yaml::from_str(backstay_world::FABRIKAM).unwrap();
    let tenant = &mut world["tenants"][0];
    tenant["apps"].as_array_mut().unwrap().push(json!({
        "client_id": ADMINISTRATOR, "name": "Administrator", "secrets": [{ "value": ADMINISTRATORS_SECRET }],
    }));
    let account = json!({ "user": ACCOUNT, "roles": ["Basic User"], "access_mode": 1, "setup": true });
    let administrator = json!({ "application": ADMINISTRATOR, "roles": ["System Administrator"], "access_mode": 4 });
    let reader = json!({ "application": APP, "roles": ["Backstay Reader"], "access_mode": 4 });
    tenant["environments"][1]["users"] = json!([account, administrator, reader]);
    tenant["environments"][2]["users"] = json!([account, administrator]);
    let scene = Scene::with_world(&world.to_string()).await;
    scene.apply_yaml(SECRET).await;
    let profiles = json!({
        "keepitPowerPlatform": {},
        "fluentProDataverse": { "clientID": FLUENT_PRO, "tables": ["account"], "includeRelatedTables": true },
    });
    scene.apply_yaml(&policy(&profiles, &json!({ "environments": environments(&[2, 3]) }))).await;
    scene
}

/// An Azure CLI that is signed in as the administrator, and does the one thing that it is asked for.
fn azure_cli(scene: &Scene) -> PathBuf {
    let folder = scene.folder.join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("az");
    let text = format!(
        "#!/bin/sh\n\
         [ \"$1 $2 $3 $5 $6 $7 $8\" = 'account get-access-token --resource --query accessToken --output tsv' ] || exit 64\n\
         curl --silent --fail --data-urlencode grant_type=client_credentials --data-urlencode client_id={ADMINISTRATOR} \\\n\
         --data-urlencode client_secret={ADMINISTRATORS_SECRET} --data-urlencode \"scope=$4/.default\" \\\n\
         https://login.microsoftonline.com/fabrikam.com/oauth2/v2.0/token | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'\n"
    );
    std::fs::write(&program, text).unwrap();
    assert!(Command::new("chmod").arg("+x").arg(&program).status().unwrap().success());
    folder
}

/// A shell on the administrator's machine, which has backstay and curl; nothing reaches the services but the world's.
fn shell(scene: &Scene, with: Option<&Path>) -> Command {
    let backstay = Path::new(env!("CARGO_BIN_EXE_backstay")).parent().unwrap();
    let mut folders = vec![backstay.to_owned(), "/usr/bin".into(), "/bin".into()];
    folders.extend(with.map(Path::to_owned));
    let mut shell = Command::new("sh");
    shell.env_clear().env("PATH", std::env::join_paths(folders).unwrap());
    shell.env("https_proxy", scene.world.proxy_url()).env("CURL_CA_BUNDLE", scene.folder.join("ca.pem"));
    shell
}

/// What became of a command. It is waited for elsewhere: the world needs this thread.
async fn run(mut shell: Command, command: &str) -> Output {
    shell.args(["-c", command]);
    let output = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    println!("{command}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    output
}

/// The hand-off of this name, once it is there.
async fn hand_off(scene: &Scene, name: &str) -> Value {
    let of = |policy: &Value| {
        let all = policy["status"]["handOffs"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|it| it["name"] == name)
    };
    let policy = scene.until(name, "ServiceAccountPolicy", NAME, |policy| of(policy).is_some()).await;
    of(&policy).unwrap()
}

/// The commands in it.
fn commands(hand_off: &Value) -> Vec<String> {
    let steps = hand_off["steps"].as_array().unwrap().iter().filter_map(Value::as_str);
    steps.filter(|step| step.starts_with("backstay ")).map(str::to_owned).collect()
}

fn known(policy: &Value) -> bool {
    let found = findings(policy);
    RULES.iter().all(|id| found.get(*id).is_some_and(|(result, _)| ["Pass", "Fail"].contains(&result.as_str())))
}

/// Who is in these environments, with what.
fn rights(scene: &Scene) -> Value {
    let state = scene.world.state();
    let all = state["tenants"][0]["environments"].as_array().unwrap();
    all.iter().map(|it| json!({ "users": it["users"], "roles": it["roles"] })).collect()
}

/// What the role that was made carries at organization depth, beside what Dataverse gives to every new role.
fn carried(environment: &Value) -> Vec<String> {
    let roles = environment["roles"].as_array().unwrap();
    let role = roles.iter().find(|role| role["name"] == "Backstay Reader").unwrap();
    let all = role["privileges"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned());
    all.filter(|name| !["Sdk", "Plugin", "SharePoint"].iter().any(|piece| name.contains(piece))).collect()
}

async fn token(scene: &Scene, host: &str, client_id: &str, secret: &str) -> String {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", &format!("https://{host}/.default")),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let url = "https://login.microsoftonline.com/fabrikam.com/oauth2/v2.0/token";
    let request = client(scene).post(url).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["access_token"].as_str().unwrap().to_owned()
}

fn client(scene: &Scene) -> reqwest::Client {
    reqwest::Client::builder()
        .proxy(reqwest::Proxy::https(scene.world.proxy_url()).unwrap())
        .tls_certs_only([reqwest::Certificate::from_pem(scene.world.ca_pem().as_bytes()).unwrap()])
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_hand_off_let_the_operator_read_and_no_more() {
    let scene = scene().await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    for id in RULES {
        assert_eq!(found[id].0, "Unknown", "{found:?}");
    }

    let asked = hand_off(&scene, "enroll-app").await;
    assert_eq!(asked["title"], "Let the operator's app read 2 environments");
    assert_eq!(asked["url"], "https://admin.powerplatform.microsoft.com");
    let commands = commands(&asked);
    assert_eq!(commands.len(), 1, "{asked}");
    let az = azure_cli(&scene);
    assert!(run(shell(&scene, Some(&az)), &commands[0]).await.status.success());

    let seen = scene.until("what was unknown", "ServiceAccountPolicy", NAME, known).await;
    let found = findings(&seen);
    assert_eq!(found["keepitPowerPlatform/system-administrator"].0, "Fail", "{found:?}");
    let open = |policy: &Value| policy["status"]["handOffs"].to_string().contains("enroll-app");
    scene.until("it to be done", "ServiceAccountPolicy", NAME, |policy| !open(policy)).await;

    assert_eq!(carried(&rights(&scene)[2]), PRIVILEGES);

    // Once more: nothing changes, and nothing is written.
    let (before, writes) = (rights(&scene), scene.written());
    assert!(run(shell(&scene, Some(&az)), &commands[0]).await.status.success());
    assert_eq!(rights(&scene), before);
    let more: Vec<String> =
        scene.written()[writes.len()..].iter().filter(|it| !it.contains("/oauth2/")).cloned().collect();
    assert_eq!(more, Vec::<String>::new());

    for host in [FINANCE, PROJECTS] {
        can_only_read(&scene, host, &before).await;
    }
    assert!(scene.world.writes().iter().all(|call| call.app.as_deref() != Some(APP) || call.status == 403));
}

/// With the operator's own token: the account can't be made System Administrator, nor be changed.
async fn can_only_read(scene: &Scene, host: &str, rights: &Value) {
    let token = token(scene, host, APP, "world-fabrikam-secret").await;
    let row = rights.as_array().unwrap()[if host == FINANCE { 1 } else { 2 }]["users"].as_array().unwrap().clone();
    let row = row.iter().find(|row| row["user"] == ACCOUNT_ID).unwrap()["id"].as_str().unwrap().to_owned();
    let base = format!("https://{host}/api/data/v9.2");
    let client = client(scene);
    let path =
        format!("{base}/roles?$filter=_roletemplateid_value eq 627090ff-40a3-4053-8790-584edc5be201&$select=roleid");
    let roles = client.get(path).bearer_auth(&token).send().await.unwrap().text().await.unwrap();
    let roles: Value = serde_json::from_str(&roles).unwrap();
    let role = format!("{base}/roles({})", roles["value"][0]["roleid"].as_str().unwrap());
    let given = client.post(format!("{base}/systemusers({row})/systemuserroles_association/$ref"));
    let changed = client.patch(format!("{base}/systemusers({row})"));
    for (request, body) in [(given, json!({ "@odata.id": role })), (changed, json!({ "accessmode": 0 }))] {
        let request = request.bearer_auth(&token).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert!(answer.text().await.unwrap().contains("0x80040220"));
    }
}

async fn without(privilege: &'static str) {
    let scene = scene().await;
    let address = format!("https://{PROJECTS}");
    let token = token(&scene, PROJECTS, ADMINISTRATOR, ADMINISTRATORS_SECRET).await;
    let left = format!(
        "backstay reader-role --client-id {APP} --environment {address} | sed '/^PRIVILEGES=/s/{privilege}//' | sh"
    );
    let as_administrator = |scene: &Scene| {
        let mut shell = shell(scene, None);
        shell.env("DATAVERSE_TOKEN", &token);
        shell
    };
    assert!(run(as_administrator(&scene), &left).await.status.success());
    scene.patch("ServiceAccountPolicy", NAME, json!({ "spec": { "environments": environments(&[3]) } })).await;
    let _operator = scene.operator_with("[]", &[]).await;
    let found = judged(&scene).await;
    for id in RULES {
        let (result, message) = &found[id];
        assert_eq!(result, "Unknown", "{id} does not need {privilege}: {message}");
        let piece = format!(
            "the operator's app needs a role in the environment that reads users, security roles and teams; its role lacks {privilege}"
        );
        assert!(message.contains(&piece), "{id}: {message}");
    }
    let command = commands(&hand_off(&scene, "enroll-app").await).remove(0);
    assert!(run(as_administrator(&scene), &command).await.status.success());
    scene.until("what was unknown", "ServiceAccountPolicy", NAME, known).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_one_of_the_privileges_nothing_is_known_and_the_message_names_it() {
    side_by_side(PRIVILEGES.iter().map(|privilege| (*privilege, without(privilege))).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_roles_is_told_and_nothing_is_left_half_done_in_silence() {
    let scene = scene().await;
    let token = token(&scene, FINANCE, APP, "world-fabrikam-secret").await;
    let mut shell = shell(&scene, None);
    shell.env("DATAVERSE_TOKEN", token);
    let command = format!("backstay reader-role --client-id {APP} --environment https://{FINANCE} | sh");
    let output = run(shell, &command).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("AddPrivilegesRole was answered with 403") && said.contains("0x80040220"), "{said}");
}
