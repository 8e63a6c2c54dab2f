// What becomes of a release in a cluster: is it installed, upgraded and taken away as said, can the operator live on what it is given, and
// who may name a Secret?

package helm

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const connector = `
apiVersion: backstay.dev/v1alpha1
kind: Connector
metadata: { name: power-platform }
spec:
  vendor: { keepit: { region: dk-co, secretRef: { name: %s } } }
  policyRef: { name: service-account }
`

const avePoint = `
apiVersion: backstay.dev/v1alpha1
kind: Connector
metadata: { name: dynamics }
spec:
  vendor:
    avePoint:
      dataCenter: we
      credential: { %s: { clientID: c0ffee00-1111-4222-8333-444455556666, secretRef: { name: %s } } }
      organizations: [ { name: contoso } ]
  policyRef: { name: service-account }
`

const fluentPro = `
apiVersion: backstay.dev/v1alpha1
kind: Connector
metadata: { name: dataverse }
spec:
  vendor: { fluentPro: {} }
  policyRef: { name: service-account }
`

const policy = `
apiVersion: backstay.dev/v1alpha1
kind: ServiceAccountPolicy
metadata: { name: service-account }
spec:
  tenant: { id: 6f1c2c4e-8d0b-4b5e-9a53-0c6a3f1d2e01 }
  credential: { %s }
  account: { user: { principalName: svc-backup@contoso.com } }
  profiles: { keepitDynamicsCE: {} }
`

func TestAReleaseIsInstalledUpgradedTakenAwayAndPutBack(t *testing.T) {
	namespace := fresh(t, "lifecycle")
	// The chart as an earlier version of it: what an upgrade has to change of the kinds is a short name.
	earlier := filepath.Join(t.TempDir(), "backstay")
	if err := os.CopyFS(earlier, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(earlier, "Chart.yaml"), "\nversion: 0.1.0", "\nversion: 0.0.1")
	rewrite(t, filepath.Join(earlier, "files/crds.yaml"), "- bconn\n", "- bcon\n")

	release := []string{"backstay", "--namespace", namespace}
	notes := helm(t, append([]string{"install", release[0], earlier, "--set", image}, release[1:]...)...)
	for _, words := range []string{"watches all namespaces", "Nothing is granted", "kubectl get sapol,bconn", "rollout status deployment/backstay -n " + namespace} {
		if !strings.Contains(notes, words) {
			t.Errorf("the notes don't say %q: %s", words, notes)
		}
	}
	established(t)
	rights := get(t, "clusterrole", "backstay")["rules"]
	if want := pick(t, objects(t, read(t, "install/rbac.yaml")), "ClusterRole")["rules"]; !reflect.DeepEqual(rights, want) {
		t.Errorf("the cluster has %s, install/rbac.yaml %s", mustJSON(t, rights), mustJSON(t, want))
	}
	if bound := get(t, "clusterrolebinding", "backstay"); at(bound, "subjects", 0, "name") != "backstay" || at(bound, "subjects", 0, "namespace") != namespace {
		t.Errorf("bound: %s", mustJSON(t, bound))
	}
	apply(t, fmt.Sprintf(connector, "keepit-api"), "apply", "-n", namespace, "-f", "-")
	apply(t, fmt.Sprintf(policy, secret("clientSecret", "entra")), "apply", "-n", namespace, "-f", "-")
	ids := func() string {
		t.Helper()
		return kubectl(t, "get", "connectors,serviceaccountpolicies", "-n", namespace, "-o", "jsonpath={.items[*].metadata.uid}")
	}
	was := ids()
	sum := func() any {
		t.Helper()
		return at(get(t, "deployment", "backstay", "-n", namespace), "spec", "template", "spec", "volumes", 0, "configMap", "name")
	}
	before := sum()

	values := written(t, object{
		"image":           object{"repository": "registry.example.com/backstay", "tag": "2"},
		"grants":          []any{object{"namespace": namespace, "vendor": "Keepit", "accounts": []string{"a"}, "actions": []string{"Rename"}}},
		"readOnly":        true,
		"watchNamespace":  namespace,
		"admissionPolicy": object{"enabled": false},
		"networkPolicy":   object{"enabled": true},
	})
	notes = helm(t, append([]string{"upgrade", release[0], chart, "-f", values}, release[1:]...)...)
	if !strings.Contains(notes, "watches the namespace "+namespace+". It writes nothing outside the cluster (readOnly).") {
		t.Error(notes)
	}
	container := at(get(t, "deployment", "backstay", "-n", namespace), "spec", "template", "spec", "containers", 0)
	if at(container, "image") != "registry.example.com/backstay:2" {
		t.Errorf("the image is %v", at(container, "image"))
	}
	args := fmt.Sprint(at(container, "args"))
	if !strings.Contains(args, "--read-only") || !strings.Contains(args, "--namespace="+namespace) {
		t.Errorf("run with %s", args)
	}
	if sum() == before {
		t.Error("other grants don't restart the operator, which reads them when it starts")
	}
	if !exists("rolebinding", "backstay", "-n", namespace) || exists("clusterrolebinding", "backstay") {
		t.Error("the rights are not bound in the one namespace, and there alone")
	}
	if exists("validatingadmissionpolicy", "backstay-secrets-of-connectors") || !exists("networkpolicy", "backstay", "-n", namespace) {
		t.Error("the switches changed nothing")
	}
	if names := at(get(t, "crd", "connectors.backstay.dev"), "spec", "names", "shortNames"); fmt.Sprint(names) != "[bconn]" {
		t.Errorf("the upgrade left the kinds as they were: %v", names)
	}
	if ids() != was {
		t.Error("the objects are others after the upgrade")
	}

	helm(t, append([]string{"uninstall"}, release...)...)
	for _, gone := range []string{"deployment/backstay", "serviceaccount/backstay", "rolebinding/backstay", "networkpolicy/backstay", "service/backstay-metrics"} {
		if exists(gone, "-n", namespace) {
			t.Errorf("%s stays", gone)
		}
	}
	if left := kubectl(t, "get", "configmaps", "-n", namespace, "-l", "app.kubernetes.io/instance=backstay", "-o", "name"); left != "" {
		t.Errorf("%s stays", left)
	}
	for _, gone := range []string{"clusterrole/backstay", "clusterrole/backstay-view", "clusterrole/backstay-edit"} {
		if exists(gone) {
			t.Errorf("%s stays", gone)
		}
	}
	if ids() != was {
		t.Error("the objects went with the release")
	}
	for _, kind := range kinds {
		// A kind takes a moment to go, and all objects with it.
		if at(get(t, "crd", kind), "metadata", "deletionTimestamp") != nil {
			t.Errorf("%s goes with the release", kind)
		}
	}
	// Put back under the same name, it takes what it left.
	helm(t, append([]string{"install", release[0], chart, "--set", image}, release[1:]...)...)
	if ids() != was {
		t.Error("the objects are others after the release was put back")
	}
	helm(t, append([]string{"uninstall"}, release...)...)
}

// The section of the README, in a folder that looks like a clone.
func TestTheReadmeSaysHow(t *testing.T) {
	noKinds(t)
	_, section, _ := strings.Cut(read(t, "README.md"), "\n## Install with Helm\n")
	section, _, _ = strings.Cut(section, "\n## ")
	block := func(kind string) string {
		t.Helper()
		_, rest, found := strings.Cut(section, "\n```"+kind+"\n")
		text, _, _ := strings.Cut(rest, "\n```")
		if !found {
			t.Fatalf("the section has no block of %s", kind)
		}
		return text
	}
	clone := t.TempDir()
	if err := os.WriteFile(filepath.Join(clone, "values.yaml"), []byte(block("yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "charts"), filepath.Join(clone, "charts")); err != nil {
		t.Fatal(err)
	}
	commands := exec.Command("sh", "-ec", block("console"))
	commands.Dir = clone
	commands.Env = append(environment(), "PATH="+root+"/target/tools:"+os.Getenv("PATH"))
	said, err := commands.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "1 grant covers") || !strings.Contains(string(said), "uninstalled") {
		t.Errorf("%v: %s", err, said)
	}
}

func TestWhatWasAppliedBeforeIsTakenOver(t *testing.T) {
	noKinds(t)
	// From an earlier version, which Helm has to change.
	apply(t, strings.Replace(read(t, "crds/backstay.yaml"), "- bconn\n", "- bcon\n", 1), "apply", "-f", "-")
	kubectl(t, "apply", "-f", root+"/install/")
	established(t)
	t.Cleanup(func() {
		noKinds(t)
		tryKubectl("", "delete", "-f", root+"/install/", "--wait=false")
	})
	helmRefuses(t, "exists and cannot be imported", "install", "backstay", chart, "--namespace", "backstay-system", "--set", image)
	helm(t, "install", "backstay", chart, "--namespace", "backstay-system", "--set", image, "--take-ownership", "--force-conflicts")
	helm(t, "uninstall", "backstay", "--namespace", "backstay-system")
	if names := at(get(t, "crd", "connectors.backstay.dev"), "spec", "names", "shortNames"); fmt.Sprint(names) != "[bconn]" {
		t.Errorf("the kinds are as they were: %v", names)
	}
}

func TestOnlyWhoMayGetASecretMayNameIt(t *testing.T) {
	namespace := fresh(t, "admission")
	helm(t, "install", "backstay", chart, "--namespace", namespace, "--set", image)
	t.Cleanup(func() { helm(t, "uninstall", "backstay", "--namespace", namespace) })
	established(t)
	// Both may write the two kinds and see them; one may get the Secret "mine" besides.
	for _, user := range []string{"alice", "bob"} {
		for _, role := range []string{"edit", "view"} {
			kubectl(t, "create", "rolebinding", user+"-"+role, "-n", namespace, "--clusterrole=backstay-"+role, "--user="+user)
		}
	}
	kubectl(t, "create", "role", "mine", "-n", namespace, "--verb=get", "--resource=secrets", "--resource-name=mine")
	kubectl(t, "create", "rolebinding", "alice-mine", "-n", namespace, "--role=mine", "--user=alice")
	as := func(user, stdin string, args ...string) (string, bool) {
		return tryKubectl(stdin, append([]string{"--as=" + user, "-n", namespace}, args...)...)
	}
	permitted := func(user, stdin string, args ...string) {
		t.Helper()
		if said, ok := as(user, stdin, args...); !ok {
			t.Errorf("%s is refused: %s", user, said)
		}
	}
	refused := func(user, named, stdin string, args ...string) {
		t.Helper()
		said, ok := as(user, stdin, args...)
		if words := fmt.Sprintf("%s names the Secret %s and may not get it in namespace %s", user, named, namespace); ok || !strings.Contains(said, words) {
			t.Errorf("not refused with %q: %s", words, said)
		}
	}
	refuses := func() bool {
		said, ok := as("bob", fmt.Sprintf(connector, "mine"), "create", "--dry-run=server", "-f", "-")
		return !ok && strings.Contains(said, "names the Secret")
	}
	// A policy counts within a moment of its creation.
	await(t, "the policy counts", refuses)

	// Each reference of both kinds.
	for _, object := range []string{
		fmt.Sprintf(connector, "mine"),
		fmt.Sprintf(avePoint, "clientSecret", "mine"),
		fmt.Sprintf(avePoint, "clientCertificate", "mine"),
		fmt.Sprintf(policy, secret("clientSecret", "mine")),
		fmt.Sprintf(policy, secret("clientCertificate", "mine")),
	} {
		refused("bob", "mine", object, "create", "--dry-run=server", "-f", "-")
		permitted("alice", object, "create", "--dry-run=server", "-f", "-")
		refused("alice", "theirs", strings.ReplaceAll(object, "mine", "theirs"), "create", "--dry-run=server", "-f", "-")
	}
	// Where no Secret is named, nobody is asked.
	permitted("bob", fluentPro, "create", "--dry-run=server", "-f", "-")
	// Who names a ServiceAccount has the operator sign in as it.
	federated := fmt.Sprintf(policy, "workloadIdentity: { clientID: c0ffee00-1111-4222-8333-444455556666, serviceAccountRef: { name: entra } }")
	kubectl(t, "create", "role", "entra", "-n", namespace, "--verb=create", "--resource=serviceaccounts/token", "--resource-name=entra")
	kubectl(t, "create", "rolebinding", "alice-entra", "-n", namespace, "--role=entra", "--user=alice")
	permitted("alice", federated, "create", "--dry-run=server", "-f", "-")
	words := "bob names the ServiceAccount entra and may not create a token of it in namespace " + namespace
	if said, ok := as("bob", federated, "create", "--dry-run=server", "-f", "-"); ok || !strings.Contains(said, words) {
		t.Errorf("not refused with %q: %s", words, said)
	}

	// What is there already: the reference can't be changed, nor what it is used for; the rest can.
	permitted("alice", fmt.Sprintf(connector, "mine"), "apply", "-f", "-")
	patch := func(spec string) []string {
		return []string{"patch", "connector", "power-platform", "--type=merge", "-p", spec}
	}
	refused("alice", "theirs", "", patch(`{"spec":{"vendor":{"keepit":{"secretRef":{"name":"theirs"}}}}}`)...)
	refused("bob", "mine", "", patch(`{"spec":{"vendor":{"keepit":{"accountID":"another"}}}}`)...)
	permitted("alice", "", patch(`{"spec":{"interval":"20m"}}`)...)
	permitted("bob", "", patch(`{"metadata":{"annotations":{"backstay.dev/start-backup":"2026-01-01T00:00:00Z"}}}`)...)

	// The operator writes finalizers and the status, with no right to get this Secret any more.
	kubectl(t, "patch", "clusterrole", "backstay", "--type=json", "-p", `[{"op":"remove","path":"/rules/3"}]`)
	operator := "system:serviceaccount:" + namespace + ":backstay"
	await(t, "the right is gone", func() bool {
		_, may := as(operator, "", "auth", "can-i", "get", "secrets")
		return !may
	})
	permitted(operator, "", patch(`{"metadata":{"finalizers":["backstay.dev/connector"]}}`)...)
	kubectl(t, "create", "role", "status", "-n", namespace, "--verb=get", "--resource=connectors.backstay.dev/status") // kubectl reads first
	kubectl(t, "create", "rolebinding", "operator-status", "-n", namespace, "--role=status", "--serviceaccount="+namespace+":backstay")
	permitted(operator, "", append(patch(`{"status":{"vendor":"Keepit"}}`), "--subresource=status")...)
	refused(operator, "theirs", "", patch(`{"spec":{"vendor":{"keepit":{"secretRef":{"name":"theirs"}}}}}`)...)
	permitted("bob", "", patch(`{"metadata":{"finalizers":null}}`)...)
	permitted("bob", "", "delete", "connector", "power-platform")

	// What edit and view are.
	for question, want := range map[string]bool{
		"create connectors": true, "delete serviceaccountpolicies": true, "get connectors": true,
		"patch connectors/status": false, "update serviceaccountpolicies/status": false, "get secrets": false,
	} {
		verb, resource, _ := strings.Cut(question, " ")
		resource, sub, _ := strings.Cut(resource, "/")
		if _, may := as("bob", "", "auth", "can-i", verb, resource+".backstay.dev", "--subresource="+sub); may != want && resource != "secrets" {
			t.Errorf("may %s: %v", question, may)
		}
	}
}

func TestThePolicyLeavesOtherNamespacesAloneWhereOneIsWatched(t *testing.T) {
	namespace, other := fresh(t, "watched-alone"), fresh(t, "left-alone")
	helm(t, "install", "backstay", chart, "--namespace", namespace, "--set", image, "--set", "watchNamespace="+namespace)
	t.Cleanup(func() { helm(t, "uninstall", "backstay", "--namespace", namespace) })
	established(t)
	for _, in := range []string{namespace, other} {
		kubectl(t, "create", "rolebinding", "bob-edit", "-n", in, "--clusterrole=backstay-edit", "--user=bob")
	}
	create := func(in string) bool {
		_, ok := tryKubectl(fmt.Sprintf(connector, "a"), "--as=bob", "create", "-n", in, "--dry-run=server", "-f", "-")
		return ok
	}
	await(t, "the policy counts", func() bool { return !create(namespace) })
	if !create(other) {
		t.Error("an object that no operator watches is refused")
	}
}

// The rendered arguments, environment and files, under the rendered account, with the operator that was built here.
func TestTheOperatorRunsOnWhatTheChartGivesIt(t *testing.T) {
	namespace := fresh(t, "watched")
	kubectl(t, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	kubectl(t, "create", "configmap", "authorities", "-n", namespace, "--from-file=authorities.pem="+authority(t))
	serviceMonitors(t)
	for name, values := range map[string][]string{
		"all namespaces": {"--set", image},
		"everything":     {"-f", "everything.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			helm(t, append([]string{"install", "backstay", chart, "--namespace", namespace}, values...)...)
			defer helm(t, "uninstall", "backstay", "--namespace", namespace)
			established(t)
			deployment := get(t, "deployment", "-n", namespace, "-l", "app.kubernetes.io/instance=backstay")
			deployment = at(deployment, "items", 0).(object)
			// The Pod is admitted where only restricted ones are.
			template := at(deployment, "spec", "template").(object)
			pod := object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": "operator"}, "spec": template["spec"]}
			apply(t, string(mustJSON(t, pod)), "create", "--dry-run=server", "-n", namespace, "-f", "-")

			listens := operate(t, namespace, at(template, "spec").(object))
			await(t, "/readyz answers", func() bool { return answers(listens + "/readyz") })
			if !answers(listens+"/healthz") || !answers(listens+"/metrics") {
				t.Error("/healthz or /metrics does not answer")
			}
			apply(t, fmt.Sprintf(connector, "not-there"), "apply", "-n", namespace, "-f", "-")
			kubectl(t, "wait", "--for=condition=Ready=False", "--timeout=30s", "connector/power-platform", "-n", namespace)
			kubectl(t, "delete", "connector", "power-platform", "-n", namespace)
		})
	}
}

// Starts the operator as the Pod would, but for where it listens and where its files are; gives the address.
func operate(t *testing.T, namespace string, spec object) string {
	t.Helper()
	files := t.TempDir()
	container := at(spec, "containers", 0)
	for _, mount := range at(container, "volumeMounts").([]any) {
		folder := filepath.Join(files, at(mount, "mountPath").(string))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, volume := range at(spec, "volumes").([]any) {
			if at(volume, "name") != at(mount, "name") {
				continue
			}
			if source := at(volume, "projected", "sources", 0, "serviceAccountToken"); source != nil {
				token := kubectl(t, "create", "token", at(spec, "serviceAccountName").(string), "-n", namespace, "--audience", at(source, "audience").(string))
				if err := os.WriteFile(filepath.Join(folder, at(source, "path").(string)), []byte(token), 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			data := get(t, "configmap", at(volume, "configMap", "name").(string), "-n", namespace)["data"].(object)
			for name, text := range data {
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text.(string)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var args []string
	for _, arg := range at(container, "args").([]any) {
		arg := strings.Replace(arg.(string), "=/etc/", "="+files+"/etc/", 1)
		args = append(args, strings.Replace(arg, "=/var/", "="+files+"/var/", 1))
	}
	args = append(args, "--listen=127.0.0.1:0")
	operator := exec.Command(filepath.Join(root, "target/debug/backstay"), args...)
	account := at(spec, "serviceAccountName").(string)
	operator.Env = []string{"KUBECONFIG=" + kubeconfigOf(t, namespace, account)}
	for i := 0; at(container, "env", i) != nil; i++ {
		value := at(container, "env", i, "value")
		if at(container, "env", i, "valueFrom", "fieldRef", "fieldPath") == "metadata.name" {
			value = "operator-0"
		}
		operator.Env = append(operator.Env, fmt.Sprintf("%v=%v", at(container, "env", i, "name"), value))
	}
	log, err := operator.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := operator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = operator.Process.Kill()
		_ = operator.Wait()
	})
	var said strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if _, rest, found := strings.Cut(lines.Text(), "127.0.0.1:"); found {
			go func() {
				for lines.Scan() {
				}
			}()
			port := strings.FieldsFunc(rest, func(r rune) bool { return r < '0' || r > '9' })[0]
			return "http://127.0.0.1:" + port
		}
	}
	t.Fatalf("backstay %s ended: %s", strings.Join(args, " "), said.String())
	return ""
}

func kubeconfigOf(t *testing.T, namespace, account string) string {
	t.Helper()
	var config object
	if err := json.Unmarshal([]byte(kubectl(t, "config", "view", "--raw", "--flatten", "-o", "json")), &config); err != nil {
		t.Fatal(err)
	}
	token := kubectl(t, "create", "token", account, "-n", namespace)
	for _, user := range config["users"].([]any) {
		user.(object)["user"] = object{"token": token}
	}
	// A Pod is told the namespace that it is in.
	for _, context := range config["contexts"].([]any) {
		context.(object)["context"].(object)["namespace"] = namespace
	}
	return written(t, config)
}

// A certificate authority: the cluster's own.
func authority(t *testing.T) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(kubectl(t, "config", "view", "--raw", "--flatten", "-o",
		"jsonpath={.clusters[0].cluster.certificate-authority-data}"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func answers(url string) bool {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// The value of spec.credential for a Secret.
func secret(kind, name string) string {
	key := ""
	if kind == "clientSecret" {
		key = ", key: a"
	}
	return fmt.Sprintf("%s: { clientID: c0ffee00-1111-4222-8333-444455556666, secretRef: { name: %s%s } }", kind, name, key)
}

// A namespace of its own for a test, and no kinds that another one left: they belong to its release.
func fresh(t *testing.T, name string) string {
	t.Helper()
	noKinds(t)
	if !exists("namespace", name) {
		kubectl(t, "create", "namespace", name)
	}
	return name
}

var kinds = []string{"connectors.backstay.dev", "serviceaccountpolicies.backstay.dev"}

func noKinds(t *testing.T) {
	t.Helper()
	for _, kind := range kinds {
		if exists("crd", kind) {
			// A kind that is deleted before its storage has answered once may stay for five minutes: the API
			// server tries again with what its cache had, meets a conflict with its own write, and forgets it.
			await(t, kind+" is served", func() bool {
				_, ok := tryKubectl("", "get", kind, "--all-namespaces")
				return ok
			})
		}
	}
	kubectl(t, append([]string{"delete", "crd", "--ignore-not-found", "--timeout=30s"}, kinds...)...)
}

func established(t *testing.T) {
	t.Helper()
	kubectl(t, "wait", "--for=condition=Established", "--timeout=30s", "crd/connectors.backstay.dev", "crd/serviceaccountpolicies.backstay.dev")
}

func get(t *testing.T, args ...string) object {
	t.Helper()
	var one object
	if err := json.Unmarshal([]byte(kubectl(t, append([]string{"get", "-o", "json"}, args...)...)), &one); err != nil {
		t.Fatal(err)
	}
	return one
}

func rewrite(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("in 30 s it did not come about that %s", what)
}
