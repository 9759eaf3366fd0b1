package sched

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// again runs this test binary once more, from its own descriptor: a user without rights cannot reach the
// folder it lies in.
func again(t *testing.T, uid uint32, env string, args ...string) string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer self.Close()
	cmd := exec.Command("/proc/self/fd/3", args...)
	cmd.ExtraFiles = []*os.File{self}
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", env}
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestWithoutPrivilege(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests run without privilege already")
	}
	if err := Probe(); err != nil {
		t.Skip(err)
	}
	if level := paranoid(); level > "2" {
		t.Skip("perf_event_paranoid is " + level + ": only root may record here")
	}
	out := again(t, 65534, "", "-test.v", "-test.run=^(TestRecordsAProcessFromItsFork|TestSpansOfOneCPU|TestFortyAtOnceLoseNothing)$")
	require.Contains(t, out, "--- PASS: TestRecordsAProcessFromItsFork")
	require.Contains(t, out, "--- PASS: TestSpansOfOneCPU")
	require.Contains(t, out, "--- PASS: TestFortyAtOnceLoseNothing")
}

func TestAFilterThatForbidsItIsNamed(t *testing.T) {
	out := again(t, 0, helperVariable+"=filtered")
	require.Contains(t, out, ErrUnavailable.Error())
	require.Contains(t, out, "seccomp")
}

// forbid makes perf_event_open fail with EPERM in all threads of this process, as container run-times do.
func forbid() error {
	const load, jumpIfEqual, giveBack = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load, K: 0}, // seccomp_data.nr
		{Code: jumpIfEqual, Jf: 1, K: unix.SYS_PERF_EVENT_OPEN},
		{Code: giveBack, K: 0x00050000 | uint32(unix.EPERM)}, // SECCOMP_RET_ERRNO
		{Code: giveBack, K: 0x7fff0000},                      // SECCOMP_RET_ALLOW
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	// no_new_privs is a thread's; TSYNC gives both to the others.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}
