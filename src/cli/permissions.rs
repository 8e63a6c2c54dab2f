//! `backstay permissions`: the least that a policy needs, by what it asks and by what it is allowed to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use kube::ResourceExt;

use super::documents::{documents, files, object};
use crate::api::policy::{Account, Credential};
use crate::api::{Action, ServiceAccountPolicy};
use crate::policy::needs::{Needs, of_action};
use crate::policy::profiles::{Requirement, requirements};
use crate::tenant::calls::{APPS, CALLS, For, Right, covers, least};

/// A terminal is at least so wide, or made so.
const COLUMNS: usize = 100;
/// Where the reasons go on, below those of the first line.
const REASONS: &str = "#                                        ";

/// What is asked.
#[derive(Args)]
pub struct Options {
    /// A file with one or more policies; `-` for standard input. Other kinds in it are passed over.
    #[arg(short, long, value_name = "FILE")]
    filename: PathBuf,
}

/// Prints them.
///
/// # Errors
/// One sentence: the file can't be read, is no YAML, or has no policy in it.
pub fn print(options: &Options) -> Result<(), String> {
    let policies = policies(&files(std::slice::from_ref(&options.filename))?)?;
    if policies.is_empty() {
        return Err(format!("{}: no ServiceAccountPolicy in it", options.filename.display()));
    }
    super::say(&policies.iter().map(of_policy).collect::<Vec<_>>().join("\n"))
}

/// The policies of these files.
fn policies(files: &[(String, String)]) -> Result<Vec<ServiceAccountPolicy>, String> {
    let all = documents(files)?.into_iter().filter(|(_, document)| document["kind"] == "ServiceAccountPolicy");
    all.map(object).collect()
}

/// All that is needed for one policy.
fn of_policy(policy: &ServiceAccountPolicy) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "# ServiceAccountPolicy {}\n", policy.name_any());
    let requirements = requirements(&policy.spec);
    let rights = rights(policy, &requirements);
    text.push_str(
        "# Microsoft Graph: application permissions of the operator's app, consented to by an administrator\n",
    );
    for right in &rights {
        if let Right::Graph(permission) = right {
            text.push_str(&comment(
                &format!("#   {permission:<36} "),
                REASONS,
                &reasons(*right, policy, &requirements),
            ));
        }
    }
    let ends = Right::Graph(APPS);
    if matches!(policy.spec.credential, Credential::ClientSecret(_)) && !rights.iter().any(|right| covers(*right, ends))
    {
        text.push_str(&comment(&format!("#   {APPS:<36} "), REASONS, "optional: tells when a client secret ends"));
    }
    let others = [
        (Right::ManagementApplication, "Power Platform: registered once, by a Power Platform administrator"),
        (
            Right::Reader,
            "Dataverse: an application user in each environment, with a role that reads users, security roles and teams",
        ),
        (Right::SystemAdministrator, "Dataverse: an application user in each environment, with System Administrator"),
    ];
    for (right, sentence) in others.iter().filter(|(right, _)| rights.contains(right)) {
        text.push_str(&comment("# ", "# ", sentence));
        text.push_str(&comment("#   ", "#   ", &reasons(*right, policy, &requirements)));
        if *right == Right::ManagementApplication {
            let _ =
                writeln!(text, "#   New-PowerAppManagementApp -ApplicationId {}", policy.spec.credential.client_id());
        }
        if *right == Right::Reader {
            let client = policy.spec.credential.client_id();
            let _ = writeln!(text, "#   backstay reader-role --client-id {client} --environment https://… | sh");
        }
    }
    if policy.spec.allowed_actions.contains(&Action::SelfEnrollment) {
        text.push_str("# SelfEnrollment adds that user by itself; Microsoft gives it System Administrator then\n");
    }
    text.push_str(&rbac(policy));
    text.push_str(&grants(policy));
    text
}

/// Lines of a comment, none of them wider than a terminal; names stay whole.
fn comment(first: &str, others: &str, text: &str) -> String {
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(first)
        .subsequent_indent(others)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options) + "\n"
}

/// What the app needs for this policy.
fn rights(policy: &ServiceAccountPolicy, requirements: &[Requirement]) -> BTreeSet<Right> {
    least(&purposes(policy, requirements))
}

fn purposes(policy: &ServiceAccountPolicy, requirements: &[Requirement]) -> BTreeSet<For> {
    let mut purposes = Needs::of(requirements).facts;
    // The account is looked up whatever is asked of it: it has to be the pinned one.
    purposes.insert(match policy.spec.account {
        Account::User(_) => For::User,
        Account::Application(_) => For::Consent,
    });
    purposes.extend(policy.spec.allowed_actions.iter().copied().map(of_action));
    purposes
}

/// The findings and actions that need a right.
fn reasons(right: Right, policy: &ServiceAccountPolicy, requirements: &[Requirement]) -> String {
    let calls = CALLS.iter().filter(|call| covers(right, call.right));
    let purposes: BTreeSet<For> = calls.flat_map(|call| call.purposes.iter().copied()).collect();
    let findings = requirements
        .iter()
        .filter(|requirement| Needs::of([*requirement]).facts.iter().any(|fact| purposes.contains(fact)))
        .map(|requirement| requirement.name.to_string());
    let actions = policy.spec.allowed_actions.iter().filter(|action| purposes.contains(&of_action(**action)));
    let mut all: Vec<String> = Vec::new();
    // Several profiles ask for the same.
    for reason in findings.chain(actions.map(ToString::to_string)) {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    all.join(", ")
}

/// What the operator reads in the cluster for this policy, if nothing but that is to be given.
fn rbac(policy: &ServiceAccountPolicy) -> String {
    let (resource, name, more) = match &policy.spec.credential {
        Credential::ClientSecret(credential) => ("secrets", credential.secret_ref.name.as_str(), ""),
        Credential::ClientCertificate(credential) => ("secrets", credential.secret_ref.name.as_str(), ""),
        Credential::WorkloadIdentity(credential) => match &credential.service_account_ref {
            Some(account) => (
                "serviceaccounts",
                account.name.as_str(),
                "  - { apiGroups: [\"\"], resources: [serviceaccounts/token], resourceNames: [NAME], verbs: [create] }\n",
            ),
            None => {
                return "# Kubernetes: no right; a token of the operator's own ServiceAccount in its Pod, and the policy's namespace\n\
                    # (workloadIdentity.namespaces of the chart; --federated-token-file, --federated-token-namespace)\n"
                    .to_owned();
            }
        },
    };
    let namespace = policy.namespace().unwrap_or_else(|| "default".to_owned());
    format!(
        "---\n# Kubernetes: beside what install/ gives for the kinds themselves\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{ name: backstay-{}, namespace: {namespace} }}\nrules:\n\
         \x20 - {{ apiGroups: [\"\"], resources: [{resource}], resourceNames: [{name}], verbs: [get] }}\n{}",
        policy.name_any(),
        more.replace("NAME", name)
    )
}

/// The grant that lets the operator do what the policy allows.
fn grants(policy: &ServiceAccountPolicy) -> String {
    let actions: Vec<String> = policy.spec.allowed_actions.iter().map(ToString::to_string).collect();
    if actions.is_empty() {
        return "---\n# --grants: nothing, since spec.allowedActions is empty\n[]\n".to_owned();
    }
    format!(
        "---\n# --grants\n- namespace: {}\n  tenantID: {}\n  accounts: [{}]\n  actions: [{}]\n",
        policy.namespace().unwrap_or_else(|| "default".to_owned()),
        policy.spec.tenant.id,
        policy.spec.account.pin().unwrap_or_default(),
        actions.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<ServiceAccountPolicy>, String> {
        policies(&[("policy.yaml".to_owned(), text.to_owned())])
    }

    fn policy(profiles: &str, actions: &str) -> ServiceAccountPolicy {
        let text = format!(
            "{{ apiVersion: backstay.dev/v1alpha1, kind: ServiceAccountPolicy, metadata: {{ name: p, namespace: n }}, spec: {{ \
             tenant: {{ id: t }}, credential: {{ clientSecret: {{ clientID: c, secretRef: {{ name: s, key: k }} }} }}, \
             account: {{ user: {{ principalName: u@x.y, objectID: O }} }}, profiles: {{ {profiles} }}, allowedActions: [{actions}] }} }}"
        );
        read(&text).unwrap().remove(0)
    }

    fn needed(profiles: &str, actions: &str) -> Vec<&'static str> {
        let policy = policy(profiles, actions);
        let rights = rights(&policy, &requirements(&policy.spec));
        rights
            .iter()
            .map(|right| match right {
                Right::Graph(permission) => *permission,
                Right::ManagementApplication => "management",
                Right::Reader => "reader",
                Right::SystemAdministrator => "administrator",
            })
            .collect()
    }

    #[test]
    fn a_field_that_is_misspelt_is_named_and_nothing_is_answered() {
        let text = |spec: &str| {
            format!(
                "{{ apiVersion: backstay.dev/v1alpha1, kind: ServiceAccountPolicy, metadata: {{ name: p }}, spec: {{ \
                 tenant: {{ id: t }}, credential: {{ clientSecret: {{ clientID: c, secretRef: {{ name: s, key: k }} }} }}, \
                 account: {{ user: {{ principalName: u@x.y }} }}, {spec} }} }}"
            )
        };
        let said = |spec: &str| read(&text(spec)).unwrap_err();
        let place = "policy.yaml: ServiceAccountPolicy p: unknown field spec.";
        assert_eq!(said("profiles: { keepitDynamicsCE: {} }, allowedAction: []"), format!("{place}allowedAction"));
        let misspelt = "profiles: { keepitDynamicsCE: {}, keepitPowerPlatfrom: {} }";
        assert_eq!(said(misspelt), format!("{place}profiles.keepitPowerPlatfrom"));
    }

    #[test]
    fn a_policy_needs_what_its_rules_read_and_its_actions_write_and_nothing_else() {
        assert_eq!(
            needed("keepitDynamicsCE: {}", ""),
            ["RoleManagement.Read.Directory", "User.Read.All", "management", "reader"]
        );
        assert_eq!(
            needed("keepitDynamicsCE: {}", "DirectoryRoles, SecurityRoles"),
            ["RoleManagement.ReadWrite.Directory", "User.Read.All", "management", "administrator"]
        );
        assert_eq!(
            needed("avePointServiceAccount: {}", ""),
            ["Policy.Read.All", "RoleManagement.Read.Directory", "User.Read.All"]
        );
        // What includes another makes the other unnecessary.
        assert_eq!(needed("fluentProDataverse: { clientID: f }", ""), ["Directory.Read.All", "management", "reader"]);
    }

    #[test]
    fn what_is_printed_after_the_comments_can_be_used_as_it_is() {
        let text = of_policy(&policy("keepitDynamicsCE: {}", "SelfEnrollment"));
        let documents: Vec<serde_json::Value> = serde_yaml::Deserializer::from_str(&text)
            .map(|document| serde::Deserialize::deserialize(document).unwrap())
            .collect();
        assert_eq!(documents[0]["rules"][0]["resourceNames"][0], "s");
        assert_eq!(documents[1][0]["actions"][0], "SelfEnrollment");
        let grants = serde_yaml::to_string(&documents[1]).unwrap();
        assert!(crate::runtime::grants::Grants::read(&grants).is_ok(), "{grants}");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal_and_every_reason_is_said_once() {
        let all = "keepitPowerPlatform: { workloads: [Dynamics365, PowerPages, PowerAutomate] }, keepitDynamicsCE: {}, \
                   fluentProDataverse: { clientID: f, tables: [account] }, avePointServiceAccount: {}";
        let text = of_policy(&policy(all, "DirectoryRoles, SecurityRoles, EnvironmentAccess, SelfEnrollment"));
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        let mut users = text.lines().skip_while(|line| !line.contains("Directory.Read.All"));
        let first = users.next().unwrap_or_default().to_owned();
        let rest: Vec<&str> = users.map_while(|line| line.strip_prefix(REASONS)).collect();
        let reasons = format!("{first} {}", rest.join(" "));
        assert_eq!(reasons.matches("account-usable").count(), 1, "{reasons}");
        assert_eq!(reasons.matches("global-administrator").count(), 2, "no-global-administrator, too: {reasons}");
    }

    #[test]
    fn a_file_without_a_policy_or_with_a_wrong_one_is_one_sentence() {
        assert_eq!(read("kind: Connector\n").unwrap().len(), 0);
        assert!(
            read("kind: ServiceAccountPolicy\nmetadata: { name: x }\nspec: {}\n")
                .unwrap_err()
                .contains("x: missing field")
        );
    }
}
