// Does the server call itself by the version it is?

package plane

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestLdflagsAndGoModNameTheSameKubernetes(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	ldflags, err := os.ReadFile("../ldflags")
	if err != nil {
		t.Fatal(err)
	}
	built := regexp.MustCompile(`k8s.io/kubernetes v1\.(\d+)\.(\d+)`).FindStringSubmatch(string(mod))
	if built == nil {
		t.Fatal("go.mod requires no k8s.io/kubernetes")
	}
	minor, patch := built[1], built[2]
	for _, flag := range []string{"version.gitVersion=v1." + minor + "." + patch + " ", "version.gitMinor=" + minor} {
		// The server reads component-base's, every client's user agent client-go's.
		if strings.Count(string(ldflags), flag) != 2 {
			t.Errorf("ldflags lack %q twice", flag)
		}
	}
	staging := "v0." + minor + "." + patch
	for _, line := range regexp.MustCompile(`=> k8s\.io/.*`).FindAllString(string(mod), -1) {
		if !strings.HasSuffix(line, " "+staging) {
			t.Errorf("go.mod: %s is not %s", line, staging)
		}
	}
}
