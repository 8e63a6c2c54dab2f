// Is a reserved port closed to everybody but the API server?

package plane

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAReservedPortIsOpenOnlyToWhoSharesIt(t *testing.T) {
	port, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	if stranger, err := net.Listen("tcp", address); err == nil {
		stranger.Close()
		t.Errorf("a stranger listens on %s", address)
	}
	// As the API server does with --permit-port-sharing.
	sharing := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		})
	}}
	apiserver, err := sharing.Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer apiserver.Close()
	// The reserving socket must take none of the connections.
	for range 20 {
		client, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		served, err := apiserver.Accept()
		if err != nil {
			t.Fatal(err)
		}
		served.Close()
		client.Close()
	}
}
