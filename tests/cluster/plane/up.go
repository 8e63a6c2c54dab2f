// How is a control plane started and stopped?

package plane

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"
)

const (
	// Measured: 3 s on two idle cores. A machine busy with compilers may need ten times that.
	startLimit = 60 * time.Second
	// The controllers and etcd end within some 10 ms. The API server would wait a second or more
	// for connections that nobody needs any longer; what it answered is in etcd already.
	stopGrace = 300 * time.Millisecond
)

//go:embed audit-policy.yaml
var auditPolicy []byte

// Up runs a control plane until it is told to end, its parent ends or one of its parts does.
func Up(args []string) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	// See startChild.
	runtime.LockOSThread()
	ctx, forget := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer forget()
	if o.parent != 0 {
		if ctx, err = endWith(ctx, o.parent); err != nil {
			return err
		}
	}
	p := &plane{dir: folder(o.dir), ended: make(chan *child, 3)}
	defer p.stop()
	server, err := p.start(ctx, o.users)
	if err != nil {
		return err
	}
	defer p.withdraw()
	if err := p.announce(server, o.users); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case c := <-p.ended:
		return c.died()
	}
}

// A plane is the running parts of one control plane.
type plane struct {
	dir      folder
	children []*child // in the order of their start
	ended    chan *child
}

// start returns the URL of the API server once that is ready.
func (p *plane) start(ctx context.Context, users []user) (server string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not done within %s, see %s", startLimit, p.dir.path("log")))
	defer cancel()
	port, err := reservePort()
	if err != nil {
		return "", err
	}
	server = fmt.Sprintf("https://127.0.0.1:%d", port)
	// One user for all controllers, above RBAC, where a real cluster has a ServiceAccount each:
	// fewer clients, and one name by which the audit policy tells their requests from others'.
	controllers := newUser("system:kube-controller-manager", "system:masters")
	ca, err := p.writeFiles(server, users, controllers)
	if err != nil {
		return "", err
	}
	// This process asks as the controllers, for the audit log to hold none of its questions.
	api, err := newProbe(server, ca, controllers.token)
	if err != nil {
		return "", err
	}
	// See etcdURL.
	if err := os.Chdir(string(p.dir)); err != nil {
		return "", err
	}

	if err := p.launch("etcd", p.dir.etcdFlags()); err != nil {
		return "", err
	}
	// An API server that comes too early tries again only after a second.
	if err := p.await(ctx, "etcd to listen", etcdListens); err != nil {
		return "", err
	}
	if err := p.launch("kube-apiserver", p.dir.apiserverFlags(port)); err != nil {
		return "", err
	}
	if err := p.await(ctx, "kube-apiserver to be ready", func() bool { return api.answers(ctx, "/readyz") }); err != nil {
		return "", err
	}
	if err := p.launch("kube-controller-manager", p.dir.controllerFlags()); err != nil {
		return "", err
	}
	if err := p.await(ctx, "namespace default", func() bool { return api.answers(ctx, "/api/v1/namespaces/default") }); err != nil {
		return "", err
	}
	return server, nil
}

// writeFiles writes what the children read and the kubeconfigs, and returns the CA of the server.
func (p *plane) writeFiles(server string, users []user, controllers user) (ca []byte, err error) {
	if err := os.MkdirAll(p.dir.path("log"), 0o700); err != nil {
		return nil, err
	}
	// Mkdir fails if the folder exists: so two clusters can't share one, nor can a new one
	// start on the remains of an old one, of whose tokens and keys it would know nothing.
	if err := os.Mkdir(p.dir.path(etcdData), 0o700); errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s holds a cluster already: remove it, or choose another --dir", p.dir)
	} else if err != nil {
		return nil, err
	}
	if err := os.WriteFile(p.dir.path(auditPolicyFile), auditPolicy, 0o600); err != nil {
		return nil, err
	}
	if err := writeTokens(p.dir.path(tokenFile), append(slices.Clone(users), controllers)); err != nil {
		return nil, err
	}
	if err := writeSigningKey(p.dir.path(signingKey)); err != nil {
		return nil, err
	}
	if ca, err = writeServingPair(p.dir.path(servingCert), p.dir.path(servingKey)); err != nil {
		return nil, err
	}
	if err := writeKubeconfig(p.dir.path(controllerConfig), server, ca, controllers); err != nil {
		return nil, err
	}
	for _, u := range users {
		if err := writeKubeconfig(p.dir.kubeconfig(u.name), server, ca, u); err != nil {
			return nil, err
		}
	}
	return ca, nil
}

func (p *plane) launch(name string, flags []string) error {
	c, err := startChild(p.dir, name, flags, p.ended)
	if err != nil {
		return err
	}
	p.children = append(p.children, c)
	return nil
}

// await asks until the answer is yes, unless a child ends or the time is up before.
func (p *plane) await(ctx context.Context, what string, answer func() bool) error {
	// Short against a start of seconds, long against a request of one millisecond.
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for !answer() {
		select {
		case c := <-p.ended:
			return c.died()
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-pause.C:
		}
	}
	return nil
}

// stop ends the children, those first that need the others.
func (p *plane) stop() {
	for _, c := range slices.Backward(p.children) {
		c.stop(stopGrace)
	}
}

func etcdListens() bool {
	connection, err := net.Dial("unix", etcdSocket)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}
