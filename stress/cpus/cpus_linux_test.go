package cpus_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
)

// A thread that pinned itself does not hide what the process has.
func TestAllowedIsTheProcessesAndNotTheThreads(t *testing.T) {
	all, err := cpus.Allowed()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	require.IsIncreasing(t, append([]int{-1}, all...))

	done := make(chan []int)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
		if unix.Gettid() == os.Getpid() {
			done <- all // the main thread cannot show it
			return
		}
		var one unix.CPUSet
		one.Set(all[len(all)-1])
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			done <- nil
			return
		}
		pinned, _ := cpus.Allowed()
		done <- pinned
	}()
	require.Equal(t, all, <-done)
}

func TestAllowedUnderTaskset(t *testing.T) {
	if os.Getenv("HEISEN_CPUS_TEST") != "" {
		all, err := cpus.Allowed()
		require.NoError(t, err)
		require.Equal(t, []int{0}, all)
		return
	}
	all, err := cpus.Allowed()
	require.NoError(t, err)
	if all[0] != 0 {
		t.Skip("CPU 0 is not among those this process may use")
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("no taskset (util-linux)")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(taskset, "-c", "0", self, "-test.run", "^TestAllowedUnderTaskset$", "-test.v")
	cmd.Env = append(os.Environ(), "HEISEN_CPUS_TEST=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.True(t, strings.Contains(string(out), "--- PASS"), "%s", out)
}
