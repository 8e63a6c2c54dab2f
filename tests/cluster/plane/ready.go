// How does a caller learn that the control plane is ready?

package plane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// A probe asks the API server, and only this cluster's: the CA and the token are its own.
type probe struct {
	server string
	token  string
	client http.Client
}

func newProbe(server string, ca []byte, token string) (*probe, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA just made is no certificate")
	}
	return &probe{server: server, token: token, client: http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	}}, nil
}

func (p *probe) answers(ctx context.Context, path string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server+path, nil)
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := p.client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// announce writes the file `ready`, in one step, and then the one line on stdout.
func (p *plane) announce(server string, users []user) error {
	kubeconfigs := map[string]string{}
	for _, u := range users {
		kubeconfigs[u.name] = p.dir.kubeconfig(u.name)
	}
	pids := map[string]int{"up": os.Getpid()}
	for _, c := range p.children {
		pids[c.name] = c.pid()
	}
	text, err := json.MarshalIndent(map[string]any{
		"server":     server,
		"kubeconfig": kubeconfigs,
		"auditLog":   p.dir.path(auditLog),
		"pids":       pids,
	}, "", "  ")
	if err != nil {
		return err
	}
	draft := p.dir.path("ready.draft")
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return err
	}
	if err := os.Rename(draft, p.dir.path("ready")); err != nil {
		return err
	}
	_, err = fmt.Printf("ready %s KUBECONFIG=%s\n", server, p.dir.kubeconfig(admin))
	return err
}

// withdraw takes back what announce said.
func (p *plane) withdraw() {
	_ = os.Remove(p.dir.path("ready"))
}
