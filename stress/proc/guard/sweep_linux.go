package guard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// adopt makes this process the subreaper of everything it starts from now on: a descendant whose parent
// dies becomes its child, also across setsid (PR_SET_CHILD_SUBREAPER, prctl(2)).
func adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}

// sweep kills and reaps this process's children until there are none or the patience ends. A killed child's
// own children are adopted in turn and die in the next round. It counts those it killed and returns those
// that are left. Killing by pid is safe: a child's pid is not given to another before it is reaped, and
// nobody else reaps here.
func sweep(patience time.Duration) (killed int, left []int) {
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; childless() != nil; pause = min(2*pause, 20*time.Millisecond) {
		left = children()
		if time.Now().After(deadline) {
			return killed, left
		}
		for _, pid := range left {
			unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(pause)
		for _, pid := range left {
			killed += reap(pid)
		}
	}
	return killed, nil
}

// reap returns 1 if pid was a child that SIGKILL ended, 0 if it ended otherwise or has not yet.
func reap(pid int) int {
	var status unix.WaitStatus
	got, err := unix.Wait4(pid, &status, unix.WNOHANG|unix.WALL, nil)
	if err == nil && got == pid && status.Signaled() && status.Signal() == unix.SIGKILL {
		return 1
	}
	return 0
}

// childless asks the kernel, which unlike the lists in /proc never misses a child: nil means there is none,
// alive or waiting to be reaped. Nothing is reaped by the question.
func childless() error {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
	if errors.Is(err, unix.ECHILD) {
		return nil
	}
	return errors.New("there are children")
}

// children lists this process's children. A list read while children exit may miss some (proc(5)), so
// childless has the last word.
func children() []int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	var pids []int
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread may end between the two steps
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}
