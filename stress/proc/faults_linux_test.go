package proc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// forkSixty says "all" if it could have sixty children.
const forkSixty = `i=0; while [ $i -lt 60 ]; do sleep 3006 & i=$((i+1)); done; echo all`

// TestLimitOnProcesses counts how many children a limited test gets, and an unlimited one.
func TestLimitOnProcesses(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		cfg := sh(t, off, forkSixty)
		require.Contains(t, text(once(t, cfg)), "all", "without a limit all start")
		cfg = sh(t, off, forkSixty)
		cfg.Spec.Limits.Processes = 20
		r := once(t, cfg)
		require.NotContains(t, text(r), "all\n")
		require.NotZero(t, r.Ending.Code)
	})
}

func TestFault07ProcessLimitAsRootIsRefused(t *testing.T) {
	if !exempt() {
		t.Skip("not exempt from RLIMIT_NPROC: nothing to refuse")
	}
	l := layout{limits: limitsOf{processes: 10}}
	_, _, err := l.confineV1(hierarchies{}, Config{})
	require.ErrorContains(t, err, "root is exempt")
	l = layout{limits: limitsOf{memory: 1 << 20}}
	_, _, err = l.confineV1(hierarchies{}, Config{})
	require.ErrorContains(t, err, "limit memory")
}

// TestFault07Control runs what would be run if root were not refused: the limit is set, and bounds nothing.
func TestFault07Control(t *testing.T) {
	if !exempt() {
		t.Skip("not exempt from RLIMIT_NPROC: the limit holds")
	}
	cfg := testConfig(t, "/bin/sh")
	cfg.Spec.Limits.Processes = 20
	shim, err := processShim(cfg)
	require.NoError(t, err)
	args := append(shim, "/bin/sh", "/bin/sh", "-c", forkSixty)
	require.Contains(t, text(once(t, testConfig(t, args...))), "all\n")
}

func TestFault08ReusedNumberIsAStranger(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no PID namespace")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cfg := testConfig(t, "/usr/bin/unshare", "--pid", "--fork", "--mount", "--kill-child", self)
	cfg.Spec.Command.Env = []string{playVariable + "=reuse"}
	r := once(t, cfg)
	require.Equal(t, run.Ending{}, r.Ending, text(r))
	require.Equal(t, strings.Repeat("stranger lives: true\nkilled by a remembered number: true\n", 2), text(r))
}

func TestFault11SignalsItsGroup(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		r := once(t, sh(t, off, `kill -TERM 0; sleep 3600`))
		require.Equal(t, run.Ending{Signal: 15, SignalName: "SIGTERM"}, r.Ending)
		var pid, group, session int
		_, err := fmt.Sscan(text(once(t, helper(t, off, "session"))), &pid, &group, &session)
		require.NoError(t, err)
		require.Equal(t, []int{pid, pid}, []int{group, session})
		// Without a session of its own the test is in our group, and kill 0 would be the end of us.
		off.session = true
		_, err = fmt.Sscan(text(once(t, helper(t, off, "session"))), &pid, &group, &session)
		require.NoError(t, err)
		require.Equal(t, syscall.Getpgrp(), group)
	})
}

func TestFault12KilledFromOutside(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		r := once(t, sh(t, off, `kill -KILL $$`))
		require.Equal(t, run.Ending{Signal: 9, SignalName: "SIGKILL"}, r.Ending)
	})
}

func TestFault12OutOfMemory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: no memory cgroup here")
	}
	eachTier(t, func(t *testing.T, off switches) {
		cfg := helper(t, off, "eat", "256")
		require.Equal(t, run.Ending{Code: 3}, once(t, cfg).Ending, "without a limit it ends by itself")
		cfg = helper(t, off, "eat", "256")
		cfg.Spec.Limits.MemoryBytes = 48 << 20
		s := open(t, cfg)
		for i := range 3 { // the cell is used again: each attempt counts its own kills
			r := s.Run(attempt(int64(i+1)), nil)
			require.Equal(t, run.Ending{Signal: 9, SignalName: "SIGKILL", OOMKills: 1}, r.Ending)
		}
	})
}

func TestFault13TestReadsTheTerminal(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		r := once(t, sh(t, off, `cat; cat </dev/tty; echo $?`))
		require.Equal(t, run.Ending{}, r.Ending)
	})
	if _, err := os.Stat("/usr/bin/script"); err != nil {
		t.Skip("no script(1) to make a terminal")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for arg, opened := range map[string]bool{"own": false, "shared": true} {
		cfg := helper(t, switches{}, "tty")
		cfg.Spec.Command.Path = "/usr/bin/script"
		cfg.Spec.Command.Args = []string{"script", "-qec", self + " " + arg, "/dev/null"}
		cfg.Spec.Command.Env = append(cfg.Spec.Command.Env, "PLAY_CAMPAIGN="+newCampaign())
		require.Equal(t, opened, strings.Contains(text(once(t, cfg)), "opened"), arg)
	}
}

func TestFault14NoCoreFiles(t *testing.T) {
	var before unix.Rlimit
	require.NoError(t, unix.Prlimit(0, unix.RLIMIT_CORE, nil, &before))
	if before.Max == 0 {
		t.Skip("the hard limit on core files is 0 already")
	}
	require.NoError(t, unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: before.Max, Max: before.Max}, nil))
	t.Cleanup(func() { require.NoError(t, unix.Prlimit(0, unix.RLIMIT_CORE, &before, nil)) })
	for _, off := range []switches{{}, {core: true}} {
		cfg := sh(t, off, `ulimit -c; kill -QUIT $$`)
		cfg.Spec.Command.Dir = t.TempDir()
		r := once(t, cfg)
		require.Equal(t, "SIGQUIT", r.Ending.SignalName)
		require.Equal(t, off.core, text(r) != "0\n")
		if !off.core {
			require.False(t, r.Ending.CoreDumped)
			left, err := os.ReadDir(cfg.Spec.Command.Dir)
			require.NoError(t, err)
			require.Empty(t, left)
		}
		var after unix.Rlimit
		require.NoError(t, unix.Prlimit(0, unix.RLIMIT_CORE, nil, &after))
		require.Equal(t, before.Max, after.Cur, "the limit is given back")
	}
}

func TestFault15BusyProgram(t *testing.T) {
	path := copyOf(t, "/bin/true")
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer writer.Close()

	control := testConfig(t, path)
	control.off.busy = true
	require.ErrorIs(t, once(t, control).Ending.StartError, syscall.ETXTBSY)

	s, _ := begin(t, testConfig(t, path))
	time.AfterFunc(50*time.Millisecond, func() { writer.Close() })
	require.Equal(t, run.Ending{}, s.Run(attempt(1), nil).Ending)
	require.NoError(t, s.Close()) // not end: the writer's descriptor was counted before
}

func copyOf(t *testing.T, program string) string {
	t.Helper()
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(path, content, 0o755))
	return path
}

func TestFault16CannotStart(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), mode))
		return path
	}
	cases := []struct {
		name  string
		path  string
		arg   string
		dir   string
		errno syscall.Errno
		hint  string
	}{
		{"missing", filepath.Join(dir, "none"), "", "", syscall.ENOENT, "no such file"},
		{"not executable", file("plain", "x", 0o644), "", "", syscall.EACCES, "chmod +x"},
		{"a folder", dir, "", "", syscall.EACCES, "it is a folder"},
		{"bad interpreter", file("shebang", "#!/no/such/thing -x\n", 0o755), "", "", syscall.ENOENT, "interpreter /no/such/thing"},
		{"carriage return", file("dos", "#!/bin/sh\r\ntrue\r\n", 0o755), "", "", syscall.ENOENT, "carriage return"},
		{"no format", file("data", "neither program nor script", 0o755), "", "", syscall.ENOEXEC, "#!/bin/sh"},
		{"too long", "/bin/true", strings.Repeat("x", 200<<10), "", syscall.E2BIG, "too long"},
		{"no folder", "/bin/true", "", filepath.Join(dir, "nowhere"), syscall.ENOENT, "working folder"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig(t, c.path, c.arg)
			cfg.Spec.Command.Dir = c.dir
			r := once(t, cfg)
			require.ErrorIs(t, r.Ending.StartError, c.errno)
			require.ErrorContains(t, r.Ending.StartError, c.hint)
			require.Empty(t, r.Ending.Machine+r.Ending.Harness)
		})
	}
}

// TestFault16Control: what the kernel says by itself, as os/exec passes it on, names none of these mistakes.
func TestFault16Control(t *testing.T) {
	for content, hint := range map[string]string{
		"#!/no/such/thing -x\n": "/no/such/thing", "#!/bin/sh\r\ntrue\r\n": "carriage return", "neither": "#!/bin/sh",
	} {
		path := filepath.Join(t.TempDir(), "program")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
		err := exec.Command(path).Run()
		require.Error(t, err)
		require.NotContains(t, strings.ReplaceAll(err.Error(), path, ""), hint)
	}
}

func TestFault17OutOfDescriptors(t *testing.T) {
	for _, room := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8} { // each step of a start runs out once
		t.Run(fmt.Sprint(room), func(t *testing.T) {
			s := open(t, sh(t, switches{}, "true"))
			var before unix.Rlimit
			require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &before))
			limit := unix.Rlimit{Cur: uint64(descriptors(t)) - 1 + room, Max: before.Max}
			require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil))
			r := s.Run(attempt(1), nil)
			require.NoError(t, unix.Prlimit(0, unix.RLIMIT_NOFILE, &before, nil))
			if r.Ending != (run.Ending{}) {
				require.Equal(t, fmt.Sprintf("out of file descriptors (limit %d): raise the limit with ulimit -n, or use a smaller -j", limit.Cur), r.Ending.Machine)
				require.NoError(t, r.Ending.StartError)
				require.Empty(t, r.Ending.Harness)
			} else {
				require.Greater(t, room, uint64(2), "it cannot have started")
			}
			require.Equal(t, run.Ending{}, s.Run(attempt(2), nil).Ending, "the supervisor recovers")
		})
	}
}

func TestFault17OutOfOtherThings(t *testing.T) {
	words := map[syscall.Errno]string{
		syscall.EAGAIN: "out of processes (limits: ", syscall.ENFILE: "the system is out of open files (limit ",
		syscall.ENOMEM: "out of memory", syscall.ENOSPC: "no space or inodes left", syscall.EDQUOT: "disk quota used up",
	}
	for errno, want := range words {
		s, end := begin(t, sh(t, switches{}, "true"))
		s.spawn.fork = func(string, []string, *syscall.ProcAttr) (int, error) { return 0, errno }
		r := s.Run(attempt(1), nil)
		end()
		require.Contains(t, r.Ending.Machine, want)
		require.NoError(t, r.Ending.StartError)
		require.Empty(t, r.Ending.Harness)
	}
}

func TestFault17ComplaintsAreChecked(t *testing.T) {
	a := attempt(1)
	a.Temp = t.TempDir()
	require.Empty(t, MachineFault([]byte("all is well"), a))
	require.Empty(t, MachineFault([]byte("write: No space left on device"), a), "the disk has space: it is the test's own affair")
	if os.Geteuid() != 0 {
		return
	}
	require.NoError(t, unix.Mount("tmpfs", a.Temp, "tmpfs", 0, "size=64k"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(a.Temp, 0)) })
	_ = os.WriteFile(filepath.Join(a.Temp, "full"), make([]byte, 1<<20), 0o600)
	require.Contains(t, MachineFault([]byte("write: No space left on device"), a), "left on a disk (0 KiB free")
	require.Empty(t, MachineFault([]byte("all is well"), a))
}
