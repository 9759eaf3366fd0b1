package conductor

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ConfineCommand is the hidden argument under which the program must call Confine with the arguments after it.
const ConfineCommand = "__confine"

// Confine is the rest of the program after ConfineCommand: it keeps this process on some CPUs and executes a command in its
// place. The arguments are a file for its excuses ("" for none), the CPUs, the executable, and the command's argv.
// It returns only if that fails, and says why in the file: its exit code could be taken for the test's.
func Confine(args []string) error {
	if len(args) < 4 {
		return errors.New("confine: want a file, CPUs, a path and a command: this is not meant to be called by hand")
	}
	excuses := args[0]
	if err := stayOn(args[1]); err != nil {
		return explain(excuses, 0, err)
	}
	err := syscall.Exec(args[2], args[3:], os.Environ())
	var errno syscall.Errno
	errors.As(err, &errno)
	return explain(excuses, errno, fmt.Errorf("execute %s: %w", args[2], err))
}

func explain(file string, errno syscall.Errno, why error) error {
	if file == "" {
		return why
	}
	return writeRefusal(file, errno, why)
}

// stayOn sets the affinity of every thread of this process: exec keeps that of the thread that calls it
// (sched_setaffinity(2)), which the runtime chooses.
func stayOn(list string) error {
	var set unix.CPUSet
	for _, text := range strings.Split(list, ",") {
		cpu, err := strconv.Atoi(text)
		if err != nil || cpu < 0 || cpu >= len(set)*64 {
			return fmt.Errorf("stay on CPUs %q: want numbers", list)
		}
		set.Set(cpu)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("stay on CPUs %s: %w", list, err)
	}
	for _, thread := range threads {
		tid, _ := strconv.Atoi(thread.Name())
		if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
			return fmt.Errorf("stay on CPUs %s: %w", list, err)
		}
	}
	return nil
}
