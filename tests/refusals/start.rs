//! Bad arguments: the process ends with one line.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::harness::root;

/// Runs `backstay run` to its end: exit code, standard output, standard error.
fn run(folder: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (out, err) = (folder.join("out"), folder.join("err"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_backstay"))
        .arg("run")
        .args(arguments)
        .env("KUBECONFIG", folder.join("kubeconfig.yaml"))
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(&out).unwrap())
        .stderr(std::fs::File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} was taken: the operator runs");
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    (ended.code(), std::fs::read_to_string(out).unwrap(), std::fs::read_to_string(err).unwrap())
}

#[test]
fn an_argument_that_can_not_be_used_ends_the_process_with_one_line_that_names_it() {
    let folder = std::env::temp_dir().join(format!("backstay-refusals-start-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // A cluster that nothing answers for: who gets as far as asking it has swallowed the argument.
    write(
        "kubeconfig.yaml",
        b"{ apiVersion: v1, kind: Config, current-context: c, users: [{ name: u, user: { token: t } }], contexts: [{ name: c, context: { cluster: c, user: u } }], clusters: [{ name: c, cluster: { server: 'http://127.0.0.1:9' } }] }",
    );
    let missing = folder.join("not-there.yaml").to_str().unwrap().to_owned();
    let directory = root().to_str().unwrap().to_owned();
    let not_yaml = write("not.yaml", b"- namespace: [");
    let unknown_action = write("action.yaml", b"- { namespace: a, tenantID: b, accounts: [c], actions: [Everything] }");
    let unknown_field =
        write("field.yaml", b"- { namespace: a, tenantID: b, accounts: [c], actions: [], everything: true }");
    let no_tenant = write("tenant.yaml", b"- { namespace: a, accounts: [c], actions: [DirectoryRoles] }");
    let not_a_list = write("map.yaml", b"namespace: a\n");
    let not_pem = write("not.pem", b"this is no certificate\n");
    let broken_pem = write("broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let binary = write("binary.pem", &[0xff, 0xfe, 0x00]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().map(|address| (taken, address.to_string())).unwrap();

    let mut failures = Vec::new();
    for (arguments, pieces) in [
        (["--grants", &missing], &[missing.as_str()][..]),
        (["--grants", &directory], &[&directory]),
        (["--grants", &not_yaml], &[&not_yaml, "line"]),
        (["--grants", &unknown_action], &[&unknown_action, "Everything", "DirectoryRoles"]),
        (["--grants", &unknown_field], &[&unknown_field, "everything"]),
        (["--grants", &no_tenant], &[&no_tenant, "tenantID"]),
        (["--grants", &not_a_list], &[&not_a_list]),
        (["--allow-host", "https://a.example.com"], &["--allow-host", "https://a.example.com", "host name"]),
        (["--allow-host", "*"], &["--allow-host", "'*'"]),
        (["--allow-host", "localhost"], &["--allow-host", "localhost"]),
        (["--allow-host", ""], &["--allow-host"]),
        (["--ca-bundle", &missing], &[&missing]),
        (["--ca-bundle", &not_pem], &[&not_pem, "certificate"]),
        (["--ca-bundle", &broken_pem], &[&broken_pem, "certificate"]),
        (["--ca-bundle", &binary], &[&binary]),
        (["--log-filter", "backstay=loud=er"], &["--log-filter", "backstay=loud=er"]),
        (["--listen", &taken.1], &[&taken.1]),
    ] {
        let (code, out, err) = run(&folder, &arguments);
        let one_line = err.starts_with("backstay: ") && err.trim_end().lines().count() == 1;
        if code != Some(1) || !out.is_empty() || !one_line {
            failures
                .push(format!("{arguments:?} is not one line and exit code 1, but {code:?} and {out:?} and {err:?}"));
        }
        let unnamed = pieces.iter().filter(|piece| !err.contains(**piece));
        failures.extend(unnamed.map(|piece| format!("{arguments:?}: {err:?} does not name {piece:?}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // What the command line itself can't mean is told in the usual form, with the usual code.
    for (arguments, piece) in [
        (["--waiting-interval", "0s"], "at least 1s"),
        (["--waiting-interval", "soon"], "--waiting-interval"),
        (["--listen", "everywhere"], "--listen"),
        (["--log-format", "xml"], "--log-format"),
        (["--grant", "x"], "--grants"),
    ] {
        let (code, out, err) = run(&folder, &arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains(piece), "{arguments:?}: {err}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
