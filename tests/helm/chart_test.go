// What does the chart make of values, and which does it refuse? Looked at without a cluster, and accepted by a real API server.

package helm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestLintHasNothingToSay(t *testing.T) {
	for _, with := range [][]string{{"--set", image}, {"-f", "everything.yaml"}} {
		said := helm(t, append([]string{"lint", "--strict", chart}, with...)...)
		if strings.Contains(said, "[WARNING]") || strings.Contains(said, "[ERROR]") {
			t.Error(said)
		}
	}
}

func TestWhatIsMisspeltOrImpossibleIsRefusedByName(t *testing.T) {
	for set, words := range map[string]string{
		"grant=a":                           "'grant'",
		"readonly=true":                     "'readonly'",
		"image.repo=a":                      "at '/image': additional properties 'repo'",
		"networkPolicy.enable=true":         "at '/networkPolicy': additional properties 'enable'",
		"metrics.serviceMonitor.lables.a=b": "at '/metrics/serviceMonitor': additional properties 'lables'",
		"rbac.secrets.mode=some":            "at '/rbac/secrets/mode'",
		"rbac.secrets.mode=names":           "needs rbac.secrets.names",
		"rbac.secrets.mode=namespaces":      "needs rbac.secrets.namespaces",
		"rbac.serviceAccountTokens=true":    "at '/rbac/serviceAccountTokens'",
		"rbac.serviceAccountTokens[0].namespace=a,rbac.serviceAccountTokens[0].names={b},rbac.serviceAccountTokens[1].namespace=a,rbac.serviceAccountTokens[1].names={c}": "rbac.serviceAccountTokens has the namespace a twice",
		"rbac.secrets.mode=names,rbac.secrets.names[0].namespace=a,rbac.secrets.names[0].names={b},rbac.secrets.names[1].namespace=a,rbac.secrets.names[1].names={c}":     "rbac.secrets.names has the namespace a twice",
		"replicas=0":                           "at '/replicas'",
		"leaseDuration=4s":                     "at '/leaseDuration'",
		"leaseDuration=90":                     "at '/leaseDuration'",
		"replicaCount=2":                       "'replicaCount'",
		"readOnly=no":                          "at '/readOnly'",
		"waitingInterval=60":                   "at '/waitingInterval'",
		"waitingInterval=500ms":                "at '/waitingInterval'",
		"waitingInterval=0m0s":                 "at '/waitingInterval'",
		"deletionPatience=never":               "at '/deletionPatience'",
		"deletionsPerMinute=-1":                "at '/deletionsPerMinute'",
		"allowHosts={https://api.example.com}": "at '/allowHosts/0'",
		"runAsUser=0":                          "at '/runAsUser'",
		"watchNamespace=a b":                   "at '/watchNamespace'",
		"log.format=xml":                       "at '/log/format'",
		"grants[0].namespace=a,grants[0].accounts={b},grants[0].actions={Rename}":                                             "at '/grants/0'",
		"grants[0].namespace=a,grants[0].vendor=Keepit,grants[0].accounts={b},grants[0].actions={Renam}":                      "at '/grants/0/actions/0'",
		"grants[0].namespace=a,grants[0].tenant=c,grants[0].vendor=d,grants[0].accounts={b},grants[0].actions={}":             "'tenant'",
		"grants[0].namespace=a,grants[0].tenantID=c,grants[0].vendor=d,grants[0].accounts={b},grants[0].actions={AccessMode}": "at '/grants/0'",
	} {
		helmRefuses(t, words, "template", chart, "--set", image, "--set", set)
	}
	helmRefuses(t, "metrics.service.enabled", "template", chart, "--set", image,
		"--set", "metrics.service.enabled=false,metrics.serviceMonitor.enabled=true")
}

func TestNoImageIsPretended(t *testing.T) {
	helmRefuses(t, "image.repository is required: no image of Backstay is published yet", "template", chart)
}

func TestAnOlderKubernetesIsRefused(t *testing.T) {
	helmRefuses(t, "requires kubeVersion: >=1.33.0-0", "template", chart, "--set", image, "--kube-version", "1.32.9")
	helm(t, "template", chart, "--set", image, "--kube-version", "v1.33.4-eks-1")
}

func TestTheChartIsOfThisVersionOfTheOperator(t *testing.T) {
	var about struct{ AppVersion string }
	if err := yaml.Unmarshal([]byte(read(t, "charts/backstay/Chart.yaml")), &about); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, "Cargo.toml"), "\nversion = \""+about.AppVersion+"\"\n") {
		t.Errorf("appVersion is %s, and Cargo.toml says otherwise", about.AppVersion)
	}
}

// Each value is given, shows in what is rendered, and what comes of it is accepted by the API server.
func TestEveryValueDoesSomething(t *testing.T) {
	defaults, everything := object{}, object{}
	for path, into := range map[string]*object{"charts/backstay/values.yaml": &defaults, "tests/helm/everything.yaml": &everything} {
		if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
			t.Fatal(err)
		}
	}
	whole := render(t, "-f", "everything.yaml")
	for _, path := range leaves(defaults, nil) {
		name := strings.Trim(strings.ReplaceAll(string(mustJSON(t, path)), `","`, "."), `[]"`)
		usual, given := at(defaults, path...), at(everything, path...)
		if given == nil {
			t.Errorf("everything.yaml has no %s", name)
			continue
		}
		if on, is := given.(bool); is {
			if !on {
				t.Errorf("%s is a switch, and not on in everything.yaml", name)
			}
			usual = false
		} else if reflect.DeepEqual(usual, given) {
			t.Errorf("%s has its default in everything.yaml", name)
		}
		var but object
		if err := json.Unmarshal(mustJSON(t, everything), &but); err != nil {
			t.Fatal(err)
		}
		compared := whole
		switch name {
		case "image.repository": // required: another one in place of none
			usual = "other.example.com/backstay"
		case "image.tag": // the digest wins
			put(but, "", "image", "digest")
			compared = render(t, "-f", written(t, but))
		case "rbac.secrets.namespaces": // for another mode
			put(but, "namespaces", "rbac", "secrets", "mode")
			compared = render(t, "-f", written(t, but))
			usual = []any{"others"}
		case "rbac.secrets.names": // the mode needs some
			usual = []any{object{"namespace": "watched", "names": []any{"another"}}}
		case "metrics.service.enabled": // a ServiceMonitor needs it
			put(but, false, "metrics", "serviceMonitor", "enabled")
			compared = render(t, "-f", written(t, but))
		}
		put(but, usual, path...)
		if render(t, "-f", written(t, but)) == compared {
			t.Errorf("%s changes nothing", name)
		}
	}
}

func TestTheAPIServerTakesWhatIsRenderedWithEverySwitchOnAndOff(t *testing.T) {
	serviceMonitors(t)
	for _, namespace := range []string{"backstay-system", "watched"} {
		if !exists("namespace", namespace) {
			kubectl(t, "create", "namespace", namespace)
		}
	}
	off := "crds.enabled=false,rbac.create=false,rbac.aggregate=false,serviceAccount.create=false,admissionPolicy.enabled=false," +
		"metrics.service.enabled=false,podDisruptionBudget.enabled=false"
	for name, values := range map[string][]string{
		"defaults":   {"--set", image},
		"everything": {"-f", "everything.yaml"},
		"nothing":    {"--set", image, "--set", off},
	} {
		rendered := render(t, values...)
		apply(t, rendered, "apply", "--dry-run=server", "--validate=strict", "-f", "-")
		var kinds []string
		for _, one := range objects(t, rendered) {
			kinds = append(kinds, one["kind"].(string))
		}
		slices.Sort(kinds)
		policies := "ValidatingAdmissionPolicy ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingAdmissionPolicyBinding"
		want := map[string]string{
			"defaults": "ClusterRole ClusterRole ClusterRole ClusterRoleBinding ConfigMap CustomResourceDefinition CustomResourceDefinition " +
				"Deployment PodDisruptionBudget Role RoleBinding Service ServiceAccount " + policies,
			"everything": "ClusterRole ClusterRole ClusterRole ConfigMap CustomResourceDefinition CustomResourceDefinition " +
				"Deployment NetworkPolicy PodDisruptionBudget PrometheusRule Role Role Role RoleBinding RoleBinding RoleBinding RoleBinding Service ServiceAccount ServiceMonitor " + policies,
			"nothing": "ConfigMap Deployment",
		}[name]
		if strings.Join(kinds, " ") != want {
			t.Errorf("%s: %s", name, strings.Join(kinds, " "))
		}
	}
}

func TestTheKindsAreThoseThatTheCodeGenerates(t *testing.T) {
	generated := read(t, "crds/backstay.yaml")
	if read(t, "charts/backstay/files/crds.yaml") != generated {
		t.Error("charts/backstay/files/crds.yaml is not crds/backstay.yaml: run 'make generate'")
	}
	want := objects(t, generated)
	var got []object
	for _, one := range objects(t, render(t, "--set", image)) {
		if one["kind"] != "CustomResourceDefinition" {
			continue
		}
		metadata := one["metadata"].(object)
		if at(metadata, "annotations", "helm.sh/resource-policy") != "keep" {
			t.Errorf("%s would go with the release, and all objects with it", metadata["name"])
		}
		// Argo CD prunes what is no longer rendered, whatever Helm is told to keep.
		if at(metadata, "annotations", "argocd.argoproj.io/sync-options") != "Prune=false,Delete=false" {
			t.Errorf("%s would be pruned by Argo CD", metadata["name"])
		}
		delete(metadata, "annotations")
		delete(metadata, "labels")
		got = append(got, one)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("what is rendered differs from crds/backstay.yaml")
	}
}

func TestTheRightsAreThoseOfTheInstallFolder(t *testing.T) {
	for _, role := range [][2]string{{"ClusterRole", "backstay"}, {"Role", "backstay-own-namespace"}} {
		want := pick(t, objects(t, read(t, "install/rbac.yaml")), role[0])["rules"]
		got := pick(t, objects(t, render(t, "--set", image)), role[0], role[1])["rules"]
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the chart has %s, install/rbac.yaml %s", mustJSON(t, got), mustJSON(t, want))
		}
	}
}

func TestTheGrantsMayNameEveryActionAndNoOther(t *testing.T) {
	var want []string
	for _, crd := range objects(t, read(t, "crds/backstay.yaml")) {
		schema := at(crd, "spec", "versions", 0, "schema", "openAPIV3Schema", "properties", "spec", "properties", "allowedActions")
		for _, action := range at(schema, "items", "enum").([]any) {
			want = append(want, action.(string))
		}
	}
	var schema object
	if err := json.Unmarshal([]byte(read(t, "charts/backstay/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, action := range at(schema, "properties", "grants", "items", "properties", "actions", "items", "enum").([]any) {
		got = append(got, action.(string))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("values.schema.json has %v, the kinds %v", got, want)
	}
}

func TestTheAdmissionPolicyKnowsEveryReferenceToASecretOrAServiceAccount(t *testing.T) {
	rendered := objects(t, render(t, "--set", image))
	found := 0
	for _, crd := range objects(t, read(t, "crds/backstay.yaml")) {
		policy := pick(t, rendered, "ValidatingAdmissionPolicy", at(crd, "spec", "names", "plural").(string))
		expression := strings.ReplaceAll(fmt.Sprint(at(policy, "spec", "variables")), "?", "")
		spec := at(crd, "spec", "versions", 0, "schema", "openAPIV3Schema", "properties", "spec")
		for _, reference := range references(spec, "object.spec") {
			found++
			if !strings.Contains(expression, reference+".orValue") {
				t.Errorf("%s is not looked at", reference)
			}
		}
	}
	if found < 6 {
		t.Errorf("only %d references were found in the kinds", found)
	}
}

func TestMetricsAreOpenToNobodyUnlessSomebodyIsNamed(t *testing.T) {
	policy := pick(t, objects(t, render(t, "--set", image, "--set", "networkPolicy.enabled=true")), "NetworkPolicy")
	if ingress, is := at(policy, "spec", "ingress").([]any); !is || len(ingress) != 0 {
		t.Errorf("let in: %s", mustJSON(t, at(policy, "spec", "ingress")))
	}
	policy = pick(t, objects(t, render(t, "-f", "everything.yaml")), "NetworkPolicy")
	want := `[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}],"ports":[{"port":8080,"protocol":"TCP"}]}]`
	if got := string(mustJSON(t, at(policy, "spec", "ingress"))); got != want {
		t.Errorf("let in: %s", got)
	}
}

func TestLabelsOfThePodCantHideItFromItsDeployment(t *testing.T) {
	deployment := pick(t, objects(t, render(t, "--set", image, "--set", `podLabels.app\.kubernetes\.io/name=other`)), "Deployment")
	for label, value := range at(deployment, "spec", "selector", "matchLabels").(object) {
		if got := at(deployment, "spec", "template", "metadata", "labels", label); got != value {
			t.Errorf("%s is %v, and %v is looked for", label, got, value)
		}
	}
}

// Each has a name of its own in the election, and an eviction leaves all but one.
func TestReplicasStandForElectionUnderTheNameOfTheirPod(t *testing.T) {
	rendered := objects(t, render(t, "--set", image))
	deployment := pick(t, rendered, "Deployment")
	container := at(deployment, "spec", "template", "spec", "containers", 0)
	want := `{"name":"BACKSTAY_IDENTITY","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}`
	if got := string(mustJSON(t, at(container, "env", 0))); got != want {
		t.Errorf("%s", got)
	}
	if at(deployment, "spec", "replicas") != 2.0 || at(pick(t, rendered, "PodDisruptionBudget"), "spec", "maxUnavailable") != 1.0 {
		t.Errorf("%s", mustJSON(t, deployment["spec"]))
	}
	if one := render(t, "--set", image, "--set", "replicas=1"); strings.Contains(one, "PodDisruptionBudget") {
		t.Error("a single replica could never be evicted")
	}
}

// The paths of all values that have no values of their own below.
func leaves(value any, path []any) [][]any {
	fields, is := value.(object)
	if !is || len(fields) == 0 || slices.Contains([]any{"resources"}, last(path)) {
		return [][]any{path}
	}
	var found [][]any
	for name, field := range fields {
		found = append(found, leaves(field, append(slices.Clone(path), name))...)
	}
	return found
}

func last(path []any) any {
	if len(path) == 0 {
		return nil
	}
	return path[len(path)-1]
}

func put(values object, value any, path ...any) {
	for _, step := range path[:len(path)-1] {
		values = values[step.(string)].(object)
	}
	values[last(path).(string)] = value
}

// The paths of all references to Secrets and ServiceAccounts in a schema.
func references(schema any, path string) []string {
	var found []string
	if items := at(schema, "items"); items != nil {
		// No expression of the policy reaches into a list: a reference there shows as one that is not looked at.
		found = append(found, references(items, path+"[]")...)
	}
	properties, _ := at(schema, "properties").(object)
	for name, property := range properties {
		if lower := strings.ToLower(name); strings.HasSuffix(lower, "secretref") || strings.HasSuffix(lower, "serviceaccountref") {
			found = append(found, path+"."+name+".name")
		} else {
			found = append(found, references(property, path+"."+name)...)
		}
	}
	return found
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A kind of the Prometheus Operator, as far as it is needed to be accepted.
func serviceMonitors(t *testing.T) {
	t.Helper()
	kubectl(t, "apply", "-f", filepath.Join(root, "tests/helm/servicemonitor.yaml"))
	kubectl(t, "wait", "--for=condition=Established", "--timeout=30s", "crd/servicemonitors.monitoring.coreos.com",
		"crd/prometheusrules.monitoring.coreos.com")
}

// What Flux and Argo CD are told to install is what the chart takes.
func TestTheLayoutsOfGitOpsGiveValuesThatTheChartTakes(t *testing.T) {
	for file, path := range map[string][]string{
		"examples/gitops/flux/operator.yaml":   {"spec", "values"},
		"examples/gitops/argocd/operator.yaml": {"spec", "source", "helm", "valuesObject"},
	} {
		documents := strings.Split(read(t, file), "\n---\n")
		var layout any
		if err := yaml.Unmarshal([]byte(documents[len(documents)-1]), &layout); err != nil {
			t.Fatal(err)
		}
		for _, step := range path {
			layout = layout.(map[string]any)[step]
		}
		values, err := yaml.Marshal(layout)
		if err != nil {
			t.Fatal(err)
		}
		with := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(with, values, 0o600); err != nil {
			t.Fatal(err)
		}
		said := helm(t, "template", chart, "-f", with)
		for _, wanted := range []string{"kind: PrometheusRule", "kind: ServiceMonitor", `absent(backstay_leading{job="`, "registry.example.com/backstay:0.1.0", "0d5b6a1c-2f3e-4a4d-8c5b-7e6f5a4b3c2d"} {
			if !strings.Contains(said, wanted) {
				t.Errorf("%s: no %s", file, wanted)
			}
		}
	}
}
