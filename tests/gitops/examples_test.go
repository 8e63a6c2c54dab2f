// Are the layouts of examples/gitops what Argo CD, Flux, the External Secrets Operator and Backstay themselves take?

package gitops

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"sigs.k8s.io/yaml"
)

// Where the CRDs of others are, in the modules that they are published as.
var published = map[string]string{
	"github.com/argoproj/argo-cd/v3@v3.3.0":                "manifests/crds/application-crd.yaml",
	"github.com/fluxcd/kustomize-controller@v1.7.3":        "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
	"github.com/fluxcd/helm-controller@v1.4.3":             "config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",
	"github.com/fluxcd/source-controller@v1.7.3":           "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
	"github.com/external-secrets/external-secrets@v0.20.4": "config/crds/bases/external-secrets.io_externalsecrets.yaml",
}

func TestTheLayoutsAreValid(t *testing.T) {
	crds := definitions(t, read(t, "crds/backstay.yaml"))
	for module, path := range published {
		crds = append(crds, definitions(t, read(t, filepath.Join("..", relative(t, folder(t, module)), path)))...)
	}
	counted := map[string]int{}
	err := filepath.Walk(filepath.Join(root, "examples/gitops"), func(path string, info os.FileInfo, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") || strings.HasPrefix(info.Name(), "health-") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, document := range strings.Split(string(text), "\n---\n") {
			var object map[string]any
			if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			kind, version := object["kind"].(string), object["apiVersion"].(string)
			counted[kind]++
			if version == "v1" {
				continue
			}
			for _, wrong := range judge(t, crds, kind, version, object) {
				t.Errorf("%s: %s: %s", path, kind, wrong)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(counted) != 9 {
		t.Errorf("%v", counted)
	}
}

// What a CRD has against an object: values that it does not take, and fields that it does not know.
func judge(t *testing.T, crds []*apiextensionsv1.CustomResourceDefinition, kind, version string, object map[string]any) []string {
	t.Helper()
	for _, crd := range crds {
		for _, one := range crd.Spec.Versions {
			if crd.Spec.Names.Kind != kind || crd.Spec.Group+"/"+one.Name != version {
				continue
			}
			internal := &apiextensions.JSONSchemaProps{}
			if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(one.Schema.OpenAPIV3Schema, internal, nil); err != nil {
				t.Fatal(err)
			}
			validator, _, err := validation.NewSchemaValidator(internal)
			if err != nil {
				t.Fatal(err)
			}
			var wrong []string
			for _, it := range validation.ValidateCustomResource(nil, object, validator) {
				wrong = append(wrong, it.Error())
			}
			structural, err := schema.NewStructural(internal)
			if err != nil {
				t.Fatal(err)
			}
			unknown := pruning.PruneWithOptions(object, structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
			return append(wrong, unknown...)
		}
	}
	return []string{"no CRD of " + version}
}

func definitions(t *testing.T, text string) []*apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var all []*apiextensionsv1.CustomResourceDefinition
	for _, document := range strings.Split(text, "\n---\n") {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal([]byte(document), crd); err != nil {
			t.Fatal(err)
		}
		all = append(all, crd)
	}
	return all
}

func folder(t *testing.T, module string) string {
	t.Helper()
	// Outside of this module: what is downloaded is no dependency of it.
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Dir = t.TempDir()
	output, err := download.Output()
	var said struct{ Dir, Error string }
	if json.Unmarshal(output, &said) != nil || said.Dir == "" {
		t.Fatalf("%s: %v %s", module, err, said.Error)
	}
	return said.Dir
}

func relative(t *testing.T, path string) string {
	t.Helper()
	here, err := filepath.Abs(filepath.Join(root, ".."))
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, path)
	if err != nil {
		t.Fatal(err)
	}
	return relative
}

// The same script in the file that is read and in the one that is applied; the same for what Flux is given.
func TestWhatIsAppliedIsWhatIsTested(t *testing.T) {
	var config struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
		Data             map[string]string
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, "examples/gitops/argocd/argocd-cm.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Connector", "ServiceAccountPolicy"} {
		if config.Data["resource.customizations.health.backstay.dev_"+kind] != read(t, "examples/gitops/argocd/health.lua") {
			t.Errorf("argocd-cm.yaml has another script for %s than health.lua", kind)
		}
	}
	if !strings.Contains(config.Data["resource.customizations.health.argoproj.io_Application"], "obj.status.health.status") {
		t.Error("argocd-cm.yaml does not say how Applications are judged")
	}
	var kustomization struct {
		Spec struct{ HealthCheckExprs []any }
	}
	documents := strings.Split(read(t, "examples/gitops/flux/kustomization.yaml"), "\n---\n")
	if err := yaml.Unmarshal([]byte(documents[len(documents)-1]), &kustomization); err != nil {
		t.Fatal(err)
	}
	var strict []any
	if err := yaml.Unmarshal([]byte(read(t, "examples/gitops/flux/health-strict.yaml")), &strict); err != nil {
		t.Fatal(err)
	}
	if text(kustomization.Spec.HealthCheckExprs) != text(strict) {
		t.Error("kustomization.yaml has other expressions than health-strict.yaml")
	}
}
