// How does a user prove who it is, and where does a client read that?

package plane

import (
	"crypto/rand"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func newUser(name string, groups ...string) user {
	return user{name: name, groups: groups, token: rand.Text()}
}

// writeTokens writes the file of the API server's token authenticator.
func writeTokens(path string, users []user) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	rows := csv.NewWriter(file)
	for _, u := range users {
		// The authenticator insists on a uid; the name is unique here.
		if err := rows.Write([]string{u.token, u.name, u.name, strings.Join(u.groups, ",")}); err != nil {
			return err
		}
	}
	rows.Flush()
	return rows.Error()
}

func writeKubeconfig(path, server string, ca []byte, u user) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["cluster"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
	config.AuthInfos[u.name] = &clientcmdapi.AuthInfo{Token: u.token}
	config.Contexts[u.name] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: u.name}
	config.CurrentContext = u.name
	return clientcmd.WriteToFile(*config, path)
}
