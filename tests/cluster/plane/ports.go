// How does the API server get a port that nobody else can take?

package plane

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reservePort binds a free loopback port and keeps it for as long as this process lives.
//
// The usual way (listen on port 0, close, hand the number on) leaves a moment in which another
// cluster, started at the same time, gets the same number. This socket stays bound and never
// listens: the kernel gives its port to nobody who asks for "any", while the API server, which
// runs under the same uid and with --permit-port-sharing (SO_REUSEPORT), may listen on it.
func reservePort() (int, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("reserving a port: %w", err)
	}
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return 0, fmt.Errorf("reserving a port: %w", err)
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("reserving a port: %w", err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		return 0, fmt.Errorf("reserving a port: %w", err)
	}
	return address.(*unix.SockaddrInet4).Port, nil
}
