package doctor

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestExamineAnswersEverythingAndLeavesNothing(t *testing.T) {
	before := descriptorNames(t)
	r := Examine(context.Background(), Input{
		Supervision: &Supervision{Tier: "group", Lacks: []string{"limits"}, Remedy: "run as root"},
		TempDir:     t.TempDir(),
	})
	require.Len(t, r.Checks, len(probes(Input{}))+1)
	for _, c := range r.Checks {
		t.Logf("%-8s %-18s %s", c.State, c.Name, c.Found)
		require.NotEmpty(t, c.Name)
		require.Contains(t, []State{OK, Lesser, Missing}, c.State)
		requireAdvice(t, c)
	}
	require.GreaterOrEqual(t, r.Width, 1)
	require.NotContains(t, r.Machine.System, "\x00")

	requireNoChildren(t)
	require.Equal(t, before, descriptorNames(t))
	requireThreadsUnfiltered(t)
}

func TestExamineStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Empty(t, Examine(ctx, Input{}).Checks)
}

// Each probe that calls the kernel must notice when the kernel refuses: a filter on a thread of its own
// plays the part of a strict container.
func TestProbesNoticeARefusal(t *testing.T) {
	for _, tc := range []struct {
		name  string
		call  uint32
		errno unix.Errno
		look  func() Check
	}{
		{"ptrace", unix.SYS_PTRACE, unix.EPERM, func() Check { return tracing("/") }},
		{"clone", unix.SYS_CLONE, unix.EPERM, namespaces},
		{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, unix.EACCES, func() Check { return switchRecords("/") }},
		{"mmap of the ring", unix.SYS_MMAP, unix.EPERM, func() Check { return switchRecords("/") }},
		{"perf_event_open for cycles", unix.SYS_PERF_EVENT_OPEN, unix.ENOSYS, hardwareCounters},
		{"seccomp", unix.SYS_SECCOMP, unix.ENOSYS, func() Check {
			if tryFilter() == nil {
				return Check{State: OK}
			}
			return Check{State: Missing}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var c Check
			var err error
			onThrowawayThread(func() {
				if err = install(refuse(tc.call, tc.errno)); err == nil {
					c = tc.look()
				}
			})
			if err != nil {
				t.Skipf("this machine takes no seccomp filter: %v", err)
			}
			require.Equal(t, Missing, c.State, c)
			requireNoChildren(t)
		})
	}
}

func install(filter []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return seccomp(unix.SECCOMP_SET_MODE_FILTER, unsafe.Pointer(&program))
}

func TestTempFolder(t *testing.T) {
	require.Equal(t, Missing, tempFolder(filepath.Join(t.TempDir(), "absent")).State)
	c := tempFolder(t.TempDir())
	require.Contains(t, c.Found, "free")
	requireAdvice(t, c)
}

func TestTempFolderFigures(t *testing.T) {
	good := unix.Statfs_t{Bsize: 4096, Bavail: 1 << 20, Files: 1 << 20, Ffree: 1 << 20}
	require.Equal(t, OK, judgeTemp("/t", good).State)
	for _, tc := range []struct {
		spoil func(*unix.Statfs_t)
		state State
		words string
	}{
		{func(fs *unix.Statfs_t) { fs.Flags = unix.ST_NOEXEC }, Lesser, "noexec"},
		{func(fs *unix.Statfs_t) { fs.Bavail = 1000 }, Lesser, "3 MiB free"},
		{func(fs *unix.Statfs_t) { fs.Ffree = 5 }, Lesser, " 5 inodes"},
		{func(fs *unix.Statfs_t) { fs.Files, fs.Ffree = 0, 0 }, OK, "unlimited inodes"},
	} {
		fs := good
		tc.spoil(&fs)
		c := judgeTemp("/t", fs)
		require.Equal(t, tc.state, c.State, c)
		require.Contains(t, c.Found, tc.words)
		requireAdvice(t, c)
	}
}

func TestLimitsAreComparedWithTheWidth(t *testing.T) {
	soft, _ := limits(unix.RLIMIT_NOFILE)
	if soft < 1<<40 {
		c := descriptors(int(soft))
		require.Equal(t, Lesser, c.State)
		requireAdvice(t, c)
	}
	if soft > descriptorsPerCopy+ownDescriptors {
		require.Equal(t, OK, descriptors(1).State)
	}
	full := tree(t, map[string]string{"proc/meminfo": "MemAvailable: 1048576 kB"})
	require.Equal(t, OK, memory(full, 8).State)
	require.Equal(t, Lesser, memory(full, 9).State)
}

// unprivilegedEnv makes this test binary report instead of test, under another user.
const unprivilegedEnv = "HEISEN_DOCTOR_TEST_REPORT"

func TestMain(m *testing.M) {
	if os.Getenv(unprivilegedEnv) != "" {
		r := Examine(context.Background(), Input{TempDir: os.TempDir(), Limit: time.Minute})
		if err := r.Text(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestExamineUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody without privileges; the other tests ran without any")
	}
	binary := copyForEveryone(t)
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.Env = []string{unprivilegedEnv + "=1", "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	text := string(out)
	for _, p := range probes(Input{}) {
		require.Contains(t, text, p.name)
	}
	require.NotContains(t, text, "did not answer")
	t.Log("\n" + text)
}

// copyForEveryone puts this test binary where another user can execute it.
func copyForEveryone(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "heisen-doctor-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	from, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "doctor.test"), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	return to.Name()
}

func requireNoChildren(t *testing.T) {
	t.Helper()
	_, err := unix.Wait4(-1, nil, unix.WNOHANG|unix.WALL, nil)
	require.Equal(t, unix.ECHILD, err, "a probe left a child or a zombie")
}

// requireThreadsUnfiltered holds the promise that filters and no_new_privs die with their thread; threads
// that were filtered before this process began count as they were.
func requireThreadsUnfiltered(t *testing.T) {
	t.Helper()
	main := guards(t, fmt.Sprint(os.Getpid()))
	require.Eventually(t, func() bool {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return false
		}
		for _, task := range tasks {
			if g := guards(t, task.Name()); g != "" && g != main {
				return false
			}
		}
		return true
	}, 30*time.Second, 5*time.Millisecond)
}

// guards reads the lines of a thread's status that a probe could have changed; "" for one that is gone.
func guards(t *testing.T, tid string) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/task/" + tid + "/status")
	if err != nil {
		return ""
	}
	var kept []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "NoNewPrivs:") || strings.HasPrefix(line, "Seccomp") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// descriptorNames maps what this process has open, but for the folder it reads to find out and for what
// the runtime opens once.
func descriptorNames(t *testing.T) map[string]int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	names := map[string]int{}
	for _, e := range entries {
		name, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.Contains(name, "/fd") && !strings.HasPrefix(name, "anon_inode:[event") {
			names[name]++
		}
	}
	return names
}
