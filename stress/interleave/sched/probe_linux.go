package sched

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Probe tells whether this process can record, by doing it: nil, or an error that wraps ErrUnavailable or
// ErrBudget and says why and what would change it.
func Probe() error {
	r, err := Open(Config{RingBytes: minRing})
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := r.Follow()
	if err == nil {
		err = f.Close()
	}
	return errors.Join(err, r.Close())
}

// unavailable says why the kernel refused an event, as far as its answer tells.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w: %s", ErrUnavailable, err, remedy(err, paranoid()))
}

func remedy(err error, paranoid string) string {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return "use a kernel with CONFIG_PERF_EVENTS=y, or a container that has the call"
	case errors.Is(err, errNoRoom):
		return "raise kernel.perf_event_mlock_kb or RLIMIT_MEMLOCK"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		// Some distributions know levels 3 and 4, which refuse users everything.
		if paranoid != "" && len(paranoid) == 1 && paranoid > "2" {
			return "kernel.perf_event_paranoid is " + paranoid + ": set it to 2, or give heisen CAP_PERFMON"
		}
		return "allow perf_event_open in the container's seccomp profile, or give it CAP_PERFMON"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "raise the limit on open files"
	case errors.Is(err, unix.ENODEV):
		return "a CPU is offline: name the others"
	case errors.Is(err, unix.EINVAL):
		return "use Linux 4.3 or newer"
	}
	return "look at kernel.perf_event_paranoid and kernel.perf_event_mlock_kb"
}

// paranoid is the setting's value, or "" where it cannot be read.
func paranoid() string {
	data, err := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
