// What does `cluster up` accept, and what does it refuse?

package plane

import (
	"slices"
	"testing"
)

func TestUsersComeAfterAdminEachWithATokenOfItsOwn(t *testing.T) {
	users, err := parseUsers([]string{"alice", "bob:ops,example:dev"})
	if err != nil {
		t.Fatal(err)
	}
	want := []user{
		{name: "admin", groups: []string{"system:masters"}},
		{name: "alice"},
		{name: "bob", groups: []string{"ops", "example:dev"}},
	}
	if len(users) != len(want) {
		t.Fatalf("got %d users, want %d", len(users), len(want))
	}
	tokens := map[string]bool{}
	for i, u := range users {
		if u.name != want[i].name || !slices.Equal(u.groups, want[i].groups) {
			t.Errorf("got %s %v, want %s %v", u.name, u.groups, want[i].name, want[i].groups)
		}
		tokens[u.token] = true
	}
	if len(tokens) != len(users) || tokens[""] {
		t.Errorf("%d users share %d tokens", len(users), len(tokens))
	}
}

func TestUsersThatCannotBeAreRefused(t *testing.T) {
	for _, named := range [][]string{{""}, {":ops"}, {"a/b"}, {"../a"}, {`a"b`}, {"a:"}, {"a:ops,"}, {"admin"}, {"a", "a:ops"}} {
		if users, err := parseUsers(named); err == nil {
			t.Errorf("%q gave %v", named, users)
		}
	}
}
