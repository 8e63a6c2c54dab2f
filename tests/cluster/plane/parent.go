// How does the cluster notice that the process it serves is gone?

package plane

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var errParentGone = errors.New("the parent process ended")

// endWith returns a context that is done as soon as process pid is.
//
// PR_SET_PDEATHSIG on ourselves would not do: it fires when the *thread* that started us ends,
// and a test harness starts a shared cluster from the thread of whichever test comes first.
// A pidfd becomes readable when the whole process is gone, SIGKILL included.
func endWith(ctx context.Context, pid int) (context.Context, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, errParentGone
	}
	if err != nil {
		return nil, fmt.Errorf("watching process %d: %w", pid, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		watched := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			if n, err := unix.Poll(watched, -1); n > 0 || !errors.Is(err, unix.EINTR) {
				cancel(errParentGone)
				return
			}
		}
	}()
	return ctx, nil
}
