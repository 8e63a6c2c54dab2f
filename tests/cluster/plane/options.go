// What can `cluster up` be asked for?

package plane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

type options struct {
	dir    string
	users  []user
	parent int // process whose end ends the cluster; 0: none
}

// A user is a token that the API server knows, and the kubeconfig that holds it.
type user struct {
	name   string
	groups []string
	token  string
}

const admin = "admin"

func parseOptions(args []string) (options, error) {
	flags := pflag.NewFlagSet("cluster up", pflag.ContinueOnError)
	dir := flags.String("dir", "", "folder for all state; must not hold an earlier cluster (required)")
	named := flags.StringArray("user", nil, "a further user, as `NAME[:GROUP[,GROUP...]]`; may be repeated")
	parent := flags.Int("with-parent", 0, "end when process `PID` ends; without a value, the parent process")
	flags.Lookup("with-parent").NoOptDefVal = strconv.Itoa(os.Getppid())
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *dir == "" {
		return options{}, errors.New("--dir is required")
	}
	// `up` moves into the folder, where a relative path would mean another one.
	absolute, err := filepath.Abs(*dir)
	if err != nil {
		return options{}, err
	}
	users, err := parseUsers(*named)
	if err != nil {
		return options{}, err
	}
	return options{dir: absolute, users: users, parent: *parent}, nil
}

// A name becomes a file name and a field of a CSV file.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]*$`)

// parseUsers puts admin, who always exists, before the named users.
func parseUsers(named []string) ([]user, error) {
	users := []user{newUser(admin, "system:masters")}
	taken := map[string]bool{admin: true}
	for _, value := range named {
		name, list, hasGroups := strings.Cut(value, ":")
		if !plainName.MatchString(name) {
			return nil, fmt.Errorf("--user %q: the name must match %s", value, plainName)
		}
		if taken[name] {
			return nil, fmt.Errorf("--user %q: there is a user of that name already", value)
		}
		taken[name] = true
		var groups []string
		if hasGroups {
			groups = strings.Split(list, ",")
		}
		for _, group := range groups {
			if strings.TrimSpace(group) == "" {
				return nil, fmt.Errorf("--user %q: a group is empty", value)
			}
		}
		users = append(users, newUser(name, groups...))
	}
	return users, nil
}
