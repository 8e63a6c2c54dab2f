// How is one part of the control plane started, watched and stopped?

package plane

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

type child struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed once the process is gone and cmd.ProcessState tells how it went
}

// startChild runs this binary again, as `cluster NAME FLAGS...`, and sends the child to ended when
// it is gone. It must be called from a goroutine locked to its thread: the kernel kills the
// child when that thread ends, which then is when this process does.
func startChild(dir folder, name string, flags []string, ended chan<- *child) (*child, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(dir.log(name))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(binary, append([]string{name}, flags...)...)
	// An ETCD_*, proxy or GODEBUG variable of the developer must not change what tests run on.
	cmd.Env = []string{}
	cmd.Stdout = log
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		// Ctrl-C in a terminal reaches the whole group, and would end the children in any order.
		Setpgid: true,
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	c := &child{name: name, log: log.Name(), cmd: cmd, done: make(chan struct{})}
	go func() {
		// How it ended is in ProcessState; Wait's error says the same again.
		_ = cmd.Wait()
		close(c.done)
		ended <- c
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop asks the child to end, and makes it after the grace period.
func (c *child) stop(grace time.Duration) {
	// An error means that it is gone already.
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(grace):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// died is the error for a child that nobody asked to end.
func (c *child) died() error {
	return fmt.Errorf("%s ended by itself (%s); the end of %s:\n%s", c.name, c.cmd.ProcessState, c.log, tail(c.log))
}

// tail returns the last lines of a log, or why there are none.
func tail(path string) string {
	const lines = 20
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
