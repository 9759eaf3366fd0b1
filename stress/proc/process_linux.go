package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkCampaign keeps a campaign's id fit to be part of a file name and of an environment.
func checkCampaign(id string) error {
	ok := len(id) > 0 && len(id) <= 128
	for _, r := range id {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	if !ok {
		return fmt.Errorf("supervise campaign %q: an id is 1 to 128 letters, digits, '-', '_' and '.'", id)
	}
	return nil
}

// dumpSignal reads a signal's name, with or without SIG; the empty name is none.
func dumpSignal(name string) (syscall.Signal, error) {
	if name == "" {
		return 0, nil
	}
	full := "SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if sig := unix.SignalNum(full); sig != 0 && sig != unix.SIGKILL && sig != unix.SIGSTOP {
		return sig, nil
	}
	return 0, fmt.Errorf("dump signal %q: want the name of a signal a program can catch, such as QUIT or ABRT", name)
}

// pidfdsWork tells whether this kernel, and the container's system call filter, has pidfds that can be
// polled (Linux 5.3).
func pidfdsWork() error {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err == unix.EMFILE || err == unix.ENFILE {
		return fmt.Errorf("open pidfd: %w: raise the limit on open files", err)
	}
	if err != nil {
		return fmt.Errorf("%w (pidfd_open: %w)", ErrUnsupported, err)
	}
	return unix.Close(fd)
}

// ignoredSignals lists the signals this process ignores, from the SigIgn mask of /proc/PID/status
// (proc_pid_status(5)): bit n-1 is signal n. SIGPIPE and the like are not there, as Go handles them.
func ignoredSignals(proc procFS) []os.Signal {
	file, err := os.Open(filepath.Join(string(proc), "self/status"))
	if err != nil {
		return nil
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if text, found := bytes.CutPrefix(lines.Bytes(), []byte("SigIgn:")); found {
			return signalsIn(string(bytes.TrimSpace(text)))
		}
	}
	return nil
}

// signalsIn reads a mask in hexadecimal. Real-time signals are left out: libraries use them privately.
func signalsIn(mask string) []os.Signal {
	bits, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		return nil
	}
	var set []os.Signal
	for n := 1; n < 32; n++ {
		if bits&(1<<(n-1)) != 0 {
			set = append(set, syscall.Signal(n))
		}
	}
	return set
}

// errSweep is a leftover that could not be removed.
var errSweep = errors.New("sweep leftovers")
