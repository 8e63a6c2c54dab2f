package waves
import (
 "testing"
 _ "github.com/argoproj/gitops-engine/pkg/sync"
 _ "github.com/argoproj/gitops-engine/pkg/utils/kube/kubetest"
 _ "github.com/yuin/gopher-lua"
 _ "sigs.k8s.io/yaml"
)
func TestX(t *testing.T) {}
