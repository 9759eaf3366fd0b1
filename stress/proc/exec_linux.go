package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exec is the rest of the program after ExecCommand: it confines this process and executes a command in
// its place. The arguments are the largest number of processes the user may have (RLIMIT_NPROC), the
// executable, and the command's argv. It returns only if that fails.
//
// It exists because a limit must be there before the test's first instruction, and Go offers no place
// between fork and exec to set it.
func Exec(args []string) error {
	if len(args) < 3 {
		return errors.New("execute confined: want a limit, a path and a command: this is not meant to be called by hand")
	}
	limit, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return fmt.Errorf("execute confined: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("limit processes to %d: %w", limit, err)
	}
	if err := syscall.Exec(args[1], args[2:], os.Environ()); err != nil {
		return fmt.Errorf("execute %s: %w", args[1], err)
	}
	return nil
}

// processShim is the command line that leads to Exec. RLIMIT_NPROC counts all tasks of the user, so the
// limit is what runs now and what every attempt may add.
func processShim(cfg Config) ([]string, error) {
	self := cfg.Self
	if len(self) == 0 {
		path, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("limit processes: find heisen's own executable: %w", err)
		}
		self = []string{path, ExecCommand}
	}
	now := userTasks("/proc", os.Getuid())
	limit := now + int(cfg.Spec.Limits.Processes)*max(cfg.Spec.Width, 1)
	return append(append([]string{}, self...), strconv.Itoa(limit)), nil
}

// userTasks counts the threads of one user.
func userTasks(proc procFS, uid int) int {
	pids, _ := proc.pids()
	total := 0
	for _, pid := range pids {
		var st syscall.Stat_t
		if syscall.Stat(proc.path(pid, "task"), &st) == nil && int(st.Uid) == uid {
			total += max(int(st.Nlink)-2, 1) // a folder's links: itself, its name, and one a thread
		}
	}
	return total
}
