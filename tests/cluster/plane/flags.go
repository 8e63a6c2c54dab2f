// With which flags does each part of the control plane run?

package plane

import (
	"fmt"
	"path/filepath"
)

// folder is where one control plane keeps all it has.
type folder string

func (f folder) path(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

func (f folder) log(child string) string       { return f.path("log", child+".log") }
func (f folder) kubeconfig(user string) string { return f.path("kubeconfig", user+".yaml") }

// The file names that flags and the code that writes the files share.
const (
	etcdData         = "etcd"
	etcdSocket       = "etcd.sock"
	tokenFile        = "tokens.csv"
	auditPolicyFile  = "audit-policy.yaml"
	auditLog         = "audit.log"
	servingCert      = "serving.crt"
	servingKey       = "serving.key"
	signingKey       = "service-account.key"
	controllerConfig = "kube-controller-manager.yaml"
)

// A socket needs no port and lets in nobody by mistake. The name is relative to the folder, in
// which this process and its children run, because a socket's path must not exceed 108 bytes.
const etcdURL = "unix://" + etcdSocket

func (f folder) etcdFlags() []string {
	// There is one member: nobody dials its peer URL, so any port does.
	const peerURL = "http://127.0.0.1:0"
	return []string{
		"--data-dir=" + f.path(etcdData),
		"--listen-client-urls=" + etcdURL,
		"--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=" + peerURL,
		"--initial-advertise-peer-urls=" + peerURL,
		"--initial-cluster=default=" + peerURL,
		// Nothing here has to survive a power cut.
		"--unsafe-no-fsync",
		// The end of the log is shown to people if etcd dies.
		"--log-format=console",
	}
}

func (f folder) apiserverFlags(port int) []string {
	return []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=127.0.0.1",
		// Otherwise a machine without a network has no address to advertise.
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		// See reservePort.
		"--permit-port-sharing",
		"--tls-cert-file=" + f.path(servingCert),
		"--tls-private-key-file=" + f.path(servingKey),
		"--token-auth-file=" + f.path(tokenFile),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.path(signingKey),
		"--service-account-signing-key-file=" + f.path(signingKey),
		// It refuses Pods until controllers that don't run here have done their part.
		"--disable-admission-plugins=ServiceAccount",
		"--service-cluster-ip-range=10.0.0.0/24",
		// There are no other API servers to find, and no Pods that look for this one.
		"--endpoint-reconciler-type=none",
		"--audit-policy-file=" + f.path(auditPolicyFile),
		"--audit-log-path=" + f.path(auditLog),
		// Written before the answer ends: a test may read the line right after its call.
		"--audit-log-mode=blocking",
	}
}

func (f folder) controllerFlags() []string {
	return []string{
		"--kubeconfig=" + f.path(controllerConfig),
		"--controllers=namespace-controller,garbage-collector-controller,serviceaccount-controller",
		"--leader-elect=false",
		"--secure-port=0",
	}
}
