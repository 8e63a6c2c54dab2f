// Does a sync of Argo CD go through its waves as examples/gitops/README.md says: what holds a wave, what ends the sync, and what waits for nothing?
//
// Argo CD's own engine runs here, with the health scripts of examples/gitops/argocd, and a map for a cluster. As in Argo CD, each step of a sync
// is a new context that begins with what the step before has left, and the objects as they are by then. The statuses are written here.

package waves

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/argoproj/gitops-engine/pkg/health"
	engine "github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	lua "github.com/yuin/gopher-lua"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/util/openapi"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../../.."
	namespace = "backup"
)

// What Ready says; Stalled or Reconciling (with says it, too); and whether it is of the spec as it is now.
type status struct {
	ready, reason, with string
	stale               bool
}

var (
	person     = status{ready: "False", reason: "AwaitingPerson"}
	evidence   = status{ready: "False", reason: "AwaitingEvidence"}
	ready      = status{ready: "True", reason: "Current"}
	stale      = status{ready: "True", reason: "Current", stale: true}
	wrong      = status{ready: "False", reason: "Ambiguous", with: "Stalled"}
	unmet      = status{ready: "False", reason: "RequirementsNotMet"}
	noPolicy   = status{ready: "False", reason: "DependencyMissing", with: "Reconciling"}
	stillNone  = status{ready: "False", reason: "DependencyMissing", with: "Stalled"}
	unlooked   = status{}
	unassigned = status{ready: "True", reason: "NoConnectors"}
)

// Something is said of a kind; then the sync goes on until it is through, or has stood still for some steps.
type turn struct {
	kind    string
	said    status
	health  health.HealthStatusCode
	phase   common.OperationPhase
	message string
	// The kinds in the order in which they were applied since the sync began.
	applied string
}

const (
	waits    = "waiting for healthy state of backstay.dev/Connector/contoso-power-platform"
	atPolicy = "waiting for healthy state of backstay.dev/ServiceAccountPolicy/keepit-service-account"
	failed   = "one or more synchronization tasks completed unsuccessfully"
	through  = "successfully synced"

	before   = "Connector"
	both     = "Connector ConfigMap"
	inOne    = "ConfigMap Connector"
	examples = "ServiceAccountPolicy Connector"
	together = "Connector ServiceAccountPolicy"
)

func TestASyncGoesThroughItsWaves(t *testing.T) {
	connector, shippedPolicy := shipped(t, "connector.yaml"), shipped(t, "policy.yaml")
	waves := []*unstructured.Unstructured{at(connector, 0), at(configMap(), 1)}
	one := []*unstructured.Unstructured{at(connector, 0), at(configMap(), 0)}
	last := []*unstructured.Unstructured{at(configMap(), 0), at(connector, 1)}
	hook := []*unstructured.Unstructured{at(connector, 0), annotated(configMap(), "argocd.argoproj.io/hook", "PostSync")}
	apart := []*unstructured.Unstructured{at(shippedPolicy, 0), at(connector, 1)}
	asShipped := []*unstructured.Unstructured{shippedPolicy, connector}

	for name, it := range map[string]struct {
		targets []*unstructured.Unstructured
		turns   []turn
	}{
		"a person's turn holds the waves after it until they have acted": {waves, []turn{
			{"Connector", person, "Suspended", "Running", waits, before},
			{"Connector", ready, "Healthy", "Succeeded", through, both},
		}},
		"so does the wait for evidence": {waves, []turn{
			{"Connector", evidence, "Suspended", "Running", waits, before},
			{"Connector", ready, "Healthy", "Succeeded", through, both},
		}},
		"what is ready holds nothing": {waves, []turn{
			{"Connector", ready, "Healthy", "Succeeded", through, both},
		}},
		"nobody has looked at it": {waves, []turn{
			{"Connector", unlooked, "Progressing", "Running", waits, before},
			{"Connector", ready, "Healthy", "Succeeded", through, both},
		}},
		"what was said of the spec before this one does not count": {waves, []turn{
			{"Connector", stale, "Progressing", "Running", waits, before},
			{"Connector", person, "Suspended", "Running", waits, before},
		}},
		"a wrong spec ends the sync": {waves, []turn{
			{"Connector", wrong, "Degraded", "Failed", failed, before},
		}},
		"so does whatever else is Degraded, though a later look may find it mended": {waves, []turn{
			{"Connector", unmet, "Degraded", "Failed", failed, before},
		}},
		"also after a person's turn": {waves, []turn{
			{"Connector", person, "Suspended", "Running", waits, before},
			{"Connector", unmet, "Degraded", "Failed", failed, before},
		}},
		"a Connector in a wave before its policy's waits for what never comes": {[]*unstructured.Unstructured{at(connector, 0), at(shippedPolicy, 1)}, []turn{
			{"Connector", noPolicy, "Progressing", "Running", waits, before},
			{"Connector", stillNone, "Degraded", "Failed", failed, before},
		}},

		"in one wave a person's turn holds nothing":   {one, []turn{{"Connector", person, "Suspended", "Succeeded", through, inOne}}},
		"in one wave nobody waits for a look":         {one, []turn{{"Connector", unlooked, "Progressing", "Succeeded", through, inOne}}},
		"in one wave a wrong spec does not show":      {one, []turn{{"Connector", wrong, "Degraded", "Succeeded", through, inOne}}},
		"in the last wave a person's turn is no wait": {last, []turn{{"Connector", person, "Suspended", "Succeeded", through, inOne}}},
		"in the last wave a wrong spec does not show": {last, []turn{{"Connector", wrong, "Degraded", "Succeeded", through, inOne}}},
		"a hook after the sync makes one wave wait, too": {hook, []turn{
			{"Connector", person, "Suspended", "Running", waits, before},
			{"Connector", ready, "Healthy", "Succeeded", through, both},
		}},

		"the example waits for nobody": {asShipped, []turn{
			{"ServiceAccountPolicy", person, "Suspended", "Succeeded", through, together},
		}},
		"a policy in a wave before its Connector's is waited for": {apart, []turn{
			{"ServiceAccountPolicy", unlooked, "Progressing", "Running", atPolicy, "ServiceAccountPolicy"},
			{"Connector", person, "", "Running", atPolicy, "ServiceAccountPolicy"},
			{"ServiceAccountPolicy", unassigned, "Healthy", "Succeeded", through, examples},
		}},
		"a person's turn at the policy holds the Connector then": {apart, []turn{
			{"ServiceAccountPolicy", person, "Suspended", "Running", atPolicy, "ServiceAccountPolicy"},
		}},
		"and one that is not met ends the sync before the Connector": {apart, []turn{
			{"ServiceAccountPolicy", unmet, "Degraded", "Failed", failed, "ServiceAccountPolicy"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			operation := start(t, it.targets)
			for number, turn := range it.turns {
				operation.cluster.say(turn.kind, turn.said)
				for range 4 {
					operation.step(t)
				}
				if got := operation.cluster.health(t, turn.kind); got != turn.health {
					t.Errorf("turn %d: the script says %s instead of %s", number, got, turn.health)
				}
				applied := strings.Join(operation.cluster.applied, " ")
				if operation.phase != turn.phase || !strings.Contains(operation.message, turn.message) || applied != turn.applied {
					t.Errorf("turn %d: %s, «%s», applied: %s\n  instead of %s, «%s», applied: %s",
						number, operation.phase, operation.message, applied, turn.phase, turn.message, turn.applied)
				}
			}
		})
	}
}

// A sync, as Argo CD keeps it between two steps.
type operation struct {
	cluster *cluster
	targets []*unstructured.Unstructured
	phase   common.OperationPhase
	message string
	results []common.ResourceSyncResult
	started metav1.Time
}

func start(t *testing.T, targets []*unstructured.Unstructured) *operation {
	t.Helper()
	it := &cluster{live: map[kube.ResourceKey]*unstructured.Unstructured{}, said: map[string]status{}, scripts: scripts(t)}
	server := httptest.NewServer(it)
	t.Cleanup(server.Close)
	it.config = &rest.Config{Host: server.URL}
	return &operation{cluster: it, targets: targets, phase: common.OperationRunning, started: metav1.Now()}
}

func (o *operation) step(t *testing.T) {
	t.Helper()
	if o.phase.Completed() {
		return
	}
	compared := engine.Reconcile(copies(o.targets), o.cluster.copies(), namespace, o.cluster)
	it, cleanup, err := engine.NewSyncContext("a-revision", compared, o.cluster.config, o.cluster.config, kubectl{cluster: o.cluster}, namespace, nil,
		engine.WithLogr(logr.Discard()),
		engine.WithHealthOverride(o.cluster),
		// As examples/gitops/argocd/application.yaml has it.
		engine.WithOperationSettings(false, true, false, false),
		engine.WithServerSideApply(true),
		engine.WithInitialState(o.phase, o.message, o.results, o.started))
	if err != nil {
		t.Fatal(err)
	}
	defer cleanup()
	it.Sync()
	o.phase, o.message, o.results = it.GetState()
}

// What the engine asks of a cluster here. It panics over whatever else it would ask.
type cluster struct {
	kube.ResourceOperations
	config  *rest.Config
	scripts map[string]string
	said    map[string]status

	lock    sync.Mutex
	live    map[kube.ResourceKey]*unstructured.Unstructured
	applied []string
}

type kubectl struct {
	kube.Kubectl
	cluster *cluster
}

func (k kubectl) ManageResources(*rest.Config, openapi.Resources) (kube.ResourceOperations, func(), error) {
	return k.cluster, func() {}, nil
}

func (c *cluster) IsNamespaced(schema.GroupKind) (bool, error) { return true, nil }

func (c *cluster) ApplyResource(_ context.Context, target *unstructured.Unstructured, dry cmdutil.DryRunStrategy, _, _, _ bool, _ string) (string, error) {
	if dry != cmdutil.DryRunNone {
		return "", nil
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	object := target.DeepCopy()
	object.SetUID(types.UID(object.GetKind()))
	object.SetGeneration(2)
	c.live[kube.GetResourceKey(object)] = object
	c.applied = append(c.applied, object.GetKind())
	return object.GetName() + " serverside-applied", c.write(object)
}

// The operator: it says so at once, and of what is applied later, too.
func (c *cluster) say(kind string, it status) {
	c.said[kind] = it
	for _, object := range c.live {
		if object.GetKind() == kind {
			_ = c.write(object)
		}
	}
}

func (c *cluster) write(object *unstructured.Unstructured) error {
	it := c.said[object.GetKind()]
	if it.ready == "" {
		unstructured.RemoveNestedField(object.Object, "status")
		return nil
	}
	observed := object.GetGeneration()
	if it.stale {
		observed--
	}
	conditions := []any{condition("Ready", it.ready, it.reason, observed)}
	if it.with != "" {
		conditions = append(conditions, condition(it.with, "True", it.reason, observed))
	}
	return unstructured.SetNestedMap(object.Object, map[string]any{"observedGeneration": observed, "conditions": conditions}, "status")
}

func condition(kind, is, reason string, observed int64) map[string]any {
	return map[string]any{
		"type": kind, "status": is, "reason": reason, "message": "It is " + reason,
		"observedGeneration": observed, "lastTransitionTime": "2026-01-01T00:00:00Z",
	}
}

func (c *cluster) copies() map[kube.ResourceKey]*unstructured.Unstructured {
	all := map[kube.ResourceKey]*unstructured.Unstructured{}
	for key, object := range c.live {
		all[key] = object.DeepCopy()
	}
	return all
}

// Which kinds there are; and a hook that has run is stored without its finalizer.
func (c *cluster) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	kinds := map[string]map[string]string{
		"/api/v1":                     {"configmaps": "ConfigMap"},
		"/apis/backstay.dev/v1alpha1": {"connectors": "Connector", "serviceaccountpolicies": "ServiceAccountPolicy"},
	}[request.URL.Path]
	var answer any
	switch {
	case request.Method == http.MethodPut:
		object := &unstructured.Unstructured{}
		if err := json.NewDecoder(request.Body).Decode(object); err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		c.lock.Lock()
		c.live[kube.GetResourceKey(object)] = object
		c.lock.Unlock()
		answer = object
	case kinds != nil:
		list := metav1.APIResourceList{GroupVersion: strings.TrimPrefix(strings.TrimPrefix(request.URL.Path, "/api/"), "/apis/")}
		for plural, kind := range kinds {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: plural, Kind: kind, Namespaced: true, Verbs: metav1.Verbs{"get", "update"}})
		}
		answer = list
	default:
		http.NotFound(writer, request)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(answer)
}

func (c *cluster) health(t *testing.T, kind string) health.HealthStatusCode {
	t.Helper()
	for _, object := range c.live {
		if object.GetKind() == kind {
			it, err := c.GetResourceHealth(object)
			if err != nil {
				t.Fatal(err)
			}
			return it.Status
		}
	}
	return ""
}

// Runs the script as Argo CD does: with the object as the global obj, and these libraries.
func (c *cluster) GetResourceHealth(object *unstructured.Unstructured) (*health.HealthStatus, error) {
	script, known := c.scripts[object.GetKind()]
	if !known {
		return nil, nil
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		state.Push(state.NewFunction(library.open))
		state.Push(lua.LString(library.name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, object.Object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	result, is := state.Get(-1).(*lua.LTable)
	if !is {
		return nil, fmt.Errorf("the script of %s returns no table", object.GetKind())
	}
	return &health.HealthStatus{
		Status:  health.HealthStatusCode(result.RawGetString("status").String()),
		Message: result.RawGetString("message").String(),
	}, nil
}

func value(state *lua.LState, from any) lua.LValue {
	switch it := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, entry := range it {
			table.RawSetString(key, value(state, entry))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, entry := range it {
			table.Append(value(state, entry))
		}
		return table
	case string:
		return lua.LString(it)
	case bool:
		return lua.LBool(it)
	case int64:
		return lua.LNumber(it)
	case float64:
		return lua.LNumber(it)
	}
	return lua.LNil
}

// The scripts by kind, from what is merged into argocd-cm.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	var config struct{ Data map[string]string }
	if err := yaml.Unmarshal(read(t, "argocd/argocd-cm.yaml"), &config); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for key, script := range config.Data {
		if kind, is := strings.CutPrefix(key, "resource.customizations.health.backstay.dev_"); is {
			all[kind] = script
		}
	}
	if all["Connector"] == "" || all["ServiceAccountPolicy"] == "" {
		t.Fatal("argocd-cm.yaml has no script for one of the kinds")
	}
	return all
}

func shipped(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(read(t, "backup/"+name), &object.Object); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return object
}

func configMap() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion("v1")
	object.SetKind("ConfigMap")
	object.SetNamespace(namespace)
	object.SetName("after-the-connector")
	return object
}

func at(object *unstructured.Unstructured, wave int) *unstructured.Unstructured {
	return annotated(object, "argocd.argoproj.io/sync-wave", fmt.Sprint(wave))
}

func annotated(object *unstructured.Unstructured, key, value string) *unstructured.Unstructured {
	other := object.DeepCopy()
	annotations := other.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	other.SetAnnotations(annotations)
	return other
}

func copies(all []*unstructured.Unstructured) []*unstructured.Unstructured {
	var others []*unstructured.Unstructured
	for _, object := range all {
		others = append(others, object.DeepCopy())
	}
	return others
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	bytes, err := os.ReadFile(filepath.Join(root, "examples/gitops", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
