// What do GitOps tools make of every status that a test has seen: kstatus as Kubernetes and Flux have it, Argo CD's Lua, Flux's expressions?
//
// The tests of the operator leave them in target/seen (tests/harness/seen.rs). Which health is expected is written here once more, from what
// the conditions mean, and not taken from what is shipped.

package gitops

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/yaml"
)

const root = "../.."

type condition struct{ Type, Status, Reason, Message string }

type seen struct {
	object     *unstructured.Unstructured
	conditions map[string]condition
	from       string
}

func (s seen) is(kind string) bool { return s.conditions[kind].Status == "True" }

func (s seen) current() bool {
	observed, found, _ := unstructured.NestedInt64(s.object.Object, "status", "observedGeneration")
	return found && observed == s.object.GetGeneration() && s.conditions["Ready"].Type != ""
}

func (s seen) String() string {
	ready := s.conditions["Ready"]
	return fmt.Sprintf("%s: %s %s=%s generation %d: %s", s.from, s.object.GetKind(), ready.Status, ready.Reason, s.object.GetGeneration(), text(s.object.Object["status"]))
}

func text(value any) string {
	bytes, _ := json.Marshal(value)
	return string(bytes)
}

func all(t *testing.T) []seen {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "target/seen/*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal("target/seen is empty: run the operator's tests first (make test)")
	}
	var found []seen
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<22)
		for lines.Scan() {
			object := &unstructured.Unstructured{}
			if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			one := seen{object, map[string]condition{}, filepath.Base(path)}
			list, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
			for _, entry := range list {
				var it condition
				if err := json.Unmarshal([]byte(text(entry)), &it); err != nil {
					t.Fatal(err)
				}
				one.conditions[it.Type] = it
			}
			found = append(found, one)
		}
		if lines.Err() != nil {
			t.Fatal(lines.Err())
		}
	}
	return found
}

// The rules of kstatus, and what people rely on besides.
func TestNoCombinationOfConditionsContradictsItself(t *testing.T) {
	reasons := map[string]bool{}
	for _, one := range all(t) {
		ready := one.conditions["Ready"]
		reasons[ready.Reason] = true
		observed, found, _ := unstructured.NestedInt64(one.object.Object, "status", "observedGeneration")
		for name, wrong := range map[string]bool{
			"Reconciling and Stalled at once":                   one.is("Reconciling") && one.is("Stalled"),
			"Ready, and Reconciling or Stalled":                 one.is("Ready") && (one.is("Reconciling") || one.is("Stalled")),
			"Reconciling or Stalled is shown though not True":   shown(one, "Reconciling") || shown(one, "Stalled"),
			"no observedGeneration":                             !found,
			"an observedGeneration of the time to come":         observed > one.object.GetGeneration(),
			"conditions though nobody has looked":               observed == -1 && len(one.conditions) > 0 && ready.Reason != "Unreachable",
			"observed, and Ready is missing":                    observed >= 0 && ready.Type == "",
			"a person's turn that is shown as the operator's":   ready.Reason == "AwaitingPerson" && (one.is("Reconciling") || one.is("Stalled") || one.is("Ready")),
			"a person's turn without saying what is to be done": ready.Reason == "AwaitingPerson" && !handsOff(one),
		} {
			if wrong {
				t.Errorf("%s\n  %s", name, one)
			}
		}
		for _, it := range one.conditions {
			if it.Reason == "" || strings.TrimSpace(it.Message) == "" {
				t.Errorf("%s says nothing\n  %s", it.Type, one)
			}
		}
	}
	if len(reasons) < 20 {
		t.Errorf("only %d reasons of Ready were seen: are these all tests?", len(reasons))
	}
	t.Logf("%d reasons of Ready", len(reasons))
}

func shown(one seen, kind string) bool {
	it := one.conditions[kind]
	return it.Type != "" && it.Status != "True"
}

func handsOff(one seen) bool {
	list, _, _ := unstructured.NestedSlice(one.object.Object, "status", "handOffs")
	return len(list) > 0
}

func TestKstatusSaysWhatIsMeant(t *testing.T) {
	for _, one := range all(t) {
		want := status.InProgressStatus
		switch {
		case one.object.GetDeletionTimestamp() != nil:
			want = status.TerminatingStatus
		case !one.current():
		case one.is("Stalled"):
			want = status.FailedStatus
		case one.is("Ready"):
			want = status.CurrentStatus
		}
		got, err := status.Compute(one.object)
		if err != nil || got.Status != want {
			t.Errorf("%v instead of %v (%v)\n  %s", got.Status, want, err, one)
		}
	}
}

// What Argo CD shows, by the reason of Ready where it is not Stalled.
var argo = map[string]string{
	"AwaitingPerson": "Suspended", "PolicyAwaitsPerson": "Suspended", "AwaitingEvidence": "Suspended", "DeletionHeld": "Suspended", "Suspended": "Suspended",
	"NoBackup": "Progressing", "Pending": "Progressing", "Acting": "Progressing", "Propagating": "Progressing", "DependencyMissing": "Progressing",
	"BackupTooOld": "Degraded", "RequirementsNotMet": "Degraded", "NotFound": "Degraded", "NotAccessible": "Degraded", "Deleting": "Degraded",
	"AuthorizationRequired": "Degraded", "AttestationVoid": "Degraded", "ElevationOverdue": "Degraded", "CreateUncertain": "Degraded",
	"NoMatchingProfile": "Degraded",
}

func TestArgoCDShowsWhatIsMeant(t *testing.T) {
	script := read(t, "examples/gitops/argocd/health.lua")
	for _, one := range all(t) {
		ready := one.conditions["Ready"]
		want, known := argo[ready.Reason]
		switch {
		case one.object.GetDeletionTimestamp() != nil || !one.current():
			want, known = "Progressing", true
		case one.is("Stalled"):
			want, known = "Degraded", true
		case one.is("Ready"):
			want, known = "Healthy", true
		case ready.Status == "Unknown" && !known:
			want, known = "Progressing", true
		}
		if !known {
			t.Errorf("nobody has said what %s=%s means\n  %s", ready.Status, ready.Reason, one)
			continue
		}
		if got, message := health(t, script, one.object); got != want || message == "" {
			t.Errorf("%s (%s) instead of %s\n  %s", got, message, want, one)
		}
	}
}

// Runs the script as Argo CD does: with the object as the global obj, and these libraries.
func health(t *testing.T, script string, object *unstructured.Unstructured) (string, string) {
	t.Helper()
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
		t.Fatalf("%v", err)
	}
	result, is := state.Get(-1).(*lua.LTable)
	if !is {
		t.Fatal("the script returns no table")
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

func value(state *lua.LState, from any) lua.LValue {
	switch it := from.(type) {
	case map[string]any:
		table := state.CreateTable(0, len(it))
		for key, entry := range it {
			table.RawSetString(key, value(state, entry))
		}
		return table
	case []any:
		table := state.CreateTable(len(it), 0)
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

func TestFluxWaitsForWhatIsMeant(t *testing.T) {
	for file, turn := range map[string]status.Status{"health-strict.yaml": status.InProgressStatus, "health-person.yaml": status.CurrentStatus} {
		evaluators := expressions(t, "examples/gitops/flux/"+file)
		for _, one := range all(t) {
			reason := one.conditions["Ready"].Reason
			want := status.InProgressStatus
			switch {
			case !one.current():
			case one.is("Stalled"):
				want = status.FailedStatus
			case one.is("Ready"):
				want = status.CurrentStatus
			case reason == "Suspended":
				// Somebody has said so, and nothing comes of waiting for it.
				want = status.CurrentStatus
			case reason == "AwaitingPerson" || reason == "PolicyAwaitsPerson" || reason == "AwaitingEvidence":
				want = turn
			}
			got, err := evaluators[one.object.GetKind()].Evaluate(context.Background(), one.object)
			if err != nil {
				t.Errorf("%s: %v\n  %s", file, err, one)
			} else if string(got.Status) != string(want) {
				t.Errorf("%s: %v instead of %v\n  %s", file, got.Status, want, one)
			}
		}
	}
}

func expressions(t *testing.T, path string) map[string]*cel.StatusEvaluator {
	t.Helper()
	var checks []kustomize.CustomHealthCheck
	if err := yaml.UnmarshalStrict([]byte(read(t, path)), &checks); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	evaluators := map[string]*cel.StatusEvaluator{}
	for _, check := range checks {
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		evaluators[check.Kind] = evaluator
	}
	return evaluators
}

func read(t *testing.T, path string) string {
	t.Helper()
	bytes, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(bytes)
}
