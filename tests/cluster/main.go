// Which program is this binary asked to be?

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"backstay.dev/tests/cluster/plane"
	"github.com/spf13/pflag"
	etcdversion "go.etcd.io/etcd/api/v3/version"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's sign-in plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

const usage = `cluster: a real Kubernetes control plane in one program

  cluster up --dir D [--user NAME[:GROUP[,GROUP...]]]... [--with-parent[=PID]]
  cluster kubectl ...   (or call this binary by the name kubectl)
  cluster version

Its parts, which "up" runs as its children:

  cluster etcd | kube-apiserver | kube-controller-manager ...
`

func main() {
	// From here on the program's own name comes first: cobra, etcd and the user agent of every
	// request read os.Args.
	if filepath.Base(os.Args[0]) != "kubectl" {
		os.Args = os.Args[1:]
	}
	if len(os.Args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	switch program := filepath.Base(os.Args[0]); program {
	case "up":
		if err := plane.Up(os.Args[1:]); err != nil && !errors.Is(err, pflag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "cluster up:", err)
			os.Exit(1)
		}
	case "kubectl":
		runKubectl()
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	case "version":
		fmt.Printf("kubernetes %s, etcd v%s\n", version.Get().GitVersion, etcdversion.Version)
	case "help", "-h", "--help":
		fmt.Print(usage)
	default:
		fmt.Fprintf(os.Stderr, "cluster: no such command: %s\n\n%s", program, usage)
		os.Exit(2)
	}
}

// runKubectl does what kubectl's own main does.
func runKubectl() {
	// The command tree is built, and plugins and kuberc are looked up, before flags are parsed.
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
