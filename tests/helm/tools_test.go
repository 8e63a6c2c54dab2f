// What do the tests drive? The built Helm, kubectl and API server, one cluster for all of them.

package helm

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// A registry that is nobody's.
const image = "image.repository=registry.example.com/backstay"

var (
	root  string
	chart string
	// Where Helm keeps its own files, and everything else that is made here.
	scratch    string
	kubeconfig string
)

func TestMain(m *testing.M) {
	code, err := inCluster(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func inCluster(run func() int) (int, error) {
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	chart = filepath.Join(root, "charts/backstay")
	for _, tool := range []string{"target/tools/helm", "target/tools/cluster", "target/debug/backstay"} {
		if _, err := os.Stat(filepath.Join(root, tool)); err != nil {
			return 1, fmt.Errorf("%s is not there: run 'make helm', which builds it", tool)
		}
	}
	if scratch, err = os.MkdirTemp("", "backstay-helm-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(scratch)
	dir := filepath.Join(scratch, "cluster")
	kubeconfig = filepath.Join(dir, "kubeconfig/admin.yaml")
	cluster := exec.Command(filepath.Join(root, "target/tools/cluster"), "up", "--dir", dir, fmt.Sprintf("--with-parent=%d", os.Getpid()))
	var problems bytes.Buffer
	cluster.Stderr = &problems
	out, err := cluster.StdoutPipe()
	if err != nil {
		return 1, err
	}
	if err := cluster.Start(); err != nil {
		return 1, err
	}
	defer func() {
		_ = cluster.Process.Signal(os.Interrupt)
		_ = cluster.Wait()
	}()
	if line, _ := bufio.NewReader(out).ReadString('\n'); !strings.HasPrefix(line, "ready ") {
		return 1, fmt.Errorf("the cluster did not start: %s%s", line, problems.String())
	}
	return run(), nil
}

// Runs a tool and gives what it says on both streams, and whether it ended well.
func try(stdin, tool string, args ...string) (string, bool) {
	command := exec.Command(filepath.Join(root, "target/tools", tool), args...)
	command.Stdin = strings.NewReader(stdin)
	command.Env = environment()
	said, err := command.CombinedOutput()
	return string(said), err == nil
}

func environment() []string {
	return append(os.Environ(), "KUBECONFIG="+kubeconfig, "HELM_CACHE_HOME="+scratch+"/cache",
		"HELM_CONFIG_HOME="+scratch+"/config", "HELM_DATA_HOME="+scratch+"/data")
}

func helm(t *testing.T, args ...string) string {
	t.Helper()
	said, ok := try("", "helm", args...)
	if !ok {
		t.Fatalf("helm %s: %s", strings.Join(args, " "), said)
	}
	return said
}

// Helm must refuse this, with these words.
func helmRefuses(t *testing.T, words string, args ...string) {
	t.Helper()
	said, ok := try("", "helm", args...)
	if ok || !strings.Contains(said, words) {
		t.Errorf("helm %s is not refused with %q: %s", strings.Join(args, " "), words, said)
	}
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return apply(t, "", args...)
}

// kubectl with something to read.
func apply(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	said, ok := tryKubectl(stdin, args...)
	if !ok {
		t.Fatalf("kubectl %s: %s", strings.Join(args, " "), said)
	}
	return strings.TrimSpace(said)
}

func tryKubectl(stdin string, args ...string) (string, bool) {
	return try(stdin, "cluster", append([]string{"kubectl"}, args...)...)
}

// Whether an object is there.
func exists(args ...string) bool {
	_, ok := tryKubectl("", append([]string{"get"}, args...)...)
	return ok
}

type object = map[string]any

// The objects of a text of YAML documents.
func objects(t *testing.T, text string) []object {
	t.Helper()
	var found []object
	for _, document := range strings.Split("\n"+text, "\n---") {
		var one object
		if err := yaml.Unmarshal([]byte(document), &one); err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if len(one) > 0 {
			found = append(found, one)
		}
	}
	return found
}

// What the chart makes of these values, given as arguments of Helm.
func render(t *testing.T, args ...string) string {
	t.Helper()
	return helm(t, append([]string{"template", "backstay", chart, "--namespace", "backstay-system"}, args...)...)
}

// The first of these objects of a kind, or the one with a name of that end.
func pick(t *testing.T, all []object, kind string, end ...string) object {
	t.Helper()
	for _, one := range all {
		name, _ := at(one, "metadata", "name").(string)
		if one["kind"] == kind && (len(end) == 0 || strings.HasSuffix(name, end[0])) {
			return one
		}
	}
	t.Fatalf("there is no %s %v", kind, end)
	return nil
}

// What is at a path of keys and indexes; nil where there is nothing.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			fields, _ := value.(object)
			value = fields[step]
		case int:
			items, _ := value.([]any)
			if step >= len(items) {
				return nil
			}
			value = items[step]
		}
	}
	return value
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A file of the test with this as YAML.
func written(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
