package proc

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

func TestFault01IgnoresQuitAndTerm(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, `trap "" TERM QUIT; echo ready; while :; do sleep 0.05; done`))
		ctl := run.NewControl(run.Orders{Timeout: 300 * time.Millisecond})
		r := s.Run(attempt(1), ctl)
		// That it died of KILL shows that it survived QUIT and TERM: without the last step it would run on.
		require.Equal(t, "SIGKILL", r.Ending.SignalName)
		require.True(t, r.Ending.TimedOut)
		require.False(t, r.Ending.Stopped)
		require.Equal(t, "ready\n", text(r))
		require.EqualValues(t, len("ready\n"), r.Evidence.DumpAt)
		require.GreaterOrEqual(t, r.Wall, 700*time.Millisecond, "time-out and two graces")
		require.Empty(t, r.Evidence.Leaks, "heisen ended it: nothing was left behind")
	})
}

func TestFault06ForkBombIsContained(t *testing.T) {
	bomb := `ulimit -s 256; b(){ b|b& b; }; b 2>/dev/null; wait`
	eachTier(t, func(t *testing.T, off switches) {
		cfg := sh(t, off, bomb)
		cfg.Spec.Limits.Processes = 40
		s := open(t, cfg)
		ctl := run.NewControl(run.Orders{Timeout: 400 * time.Millisecond})
		r := s.Run(attempt(1), ctl)
		require.Empty(t, r.Ending.Harness)
	})
}

// TestLimitOnProcesses counts how many children a limited test gets, and an unlimited one.
func TestLimitOnProcesses(t *testing.T) {
	script := `i=0; while [ $i -lt 60 ]; do sleep 3006 & i=$((i+1)); done; echo all`
	eachTier(t, func(t *testing.T, off switches) {
		cfg := sh(t, off, script)
		require.Contains(t, text(once(t, cfg)), "all", "without a limit all start")
		cfg = sh(t, off, script)
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

func TestFault10StopsItself(t *testing.T) {
	eachTier(t, func(t *testing.T, off switches) {
		s := open(t, sh(t, off, `echo before; kill -STOP $$; echo after`))
		r := s.Run(attempt(1), run.NewControl(run.Orders{Timeout: 300 * time.Millisecond}))
		require.True(t, r.Ending.TimedOut)
		require.Zero(t, r.Ending.Suspended)
		require.True(t, strings.HasPrefix(text(r), "before\n"))
	})
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
				require.Equal(t, fmt.Sprintf("out of file descriptors (limit %d): raise it with ulimit -n, or use a smaller -j", limit.Cur), r.Ending.Machine)
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
		syscall.ENOMEM: "out of memory", syscall.ENOSPC: "no space left",
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
	require.Contains(t, MachineFault([]byte("write: No space left on device"), a), "disk full (0 KiB free")
	require.Empty(t, MachineFault([]byte("all is well"), a))
}

func TestFault24OutputFlood(t *testing.T) {
	size := 200 << 20
	if os.Getenv("HEISEN_SLOW_TESTS") != "" {
		size = 10 << 30
	}
	cfg := sh(t, switches{}, fmt.Sprintf("echo first; yes 0123456 | head -c %d; echo last", size))
	s := open(t, cfg)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := attempt(1)
	a.Timeout = 10 * time.Minute
	r := s.Run(a, nil)
	runtime.ReadMemStats(&after)
	require.Equal(t, run.Ending{}, r.Ending)
	require.EqualValues(t, size+len("first\nlast\n"), r.Evidence.Output.Total)
	kept := text(r)
	require.EqualValues(t, cfg.Spec.Keep.OutputBytes, len(kept))
	require.EqualValues(t, size+len("first\nlast\n")-len(kept), r.Evidence.Output.Omitted)
	require.True(t, strings.HasPrefix(kept, "first\n0123456\n"))
	require.True(t, strings.HasSuffix(kept, "0123456\nlast\n"))
	// Everything ever allocated, collected or not: memory is flat, and so is the work of the collector.
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

func TestFault24AlternatingFlood(t *testing.T) {
	r := once(t, helper(t, switches{}, "alternate", "20000"))
	require.EqualValues(t, 20000, r.Evidence.Output.Total)
	require.LessOrEqual(t, len(r.Evidence.Output.Head)+len(r.Evidence.Output.Tail), 2*(32<<10/chunkCost+2))
}

func TestFault25HugeLine(t *testing.T) {
	size := 60 << 20
	if os.Getenv("HEISEN_SLOW_TESTS") != "" {
		size = 300 << 20
	}
	r := once(t, sh(t, switches{}, fmt.Sprintf(`head -c %d /dev/zero | tr '\0' x`, size)))
	require.Equal(t, run.Ending{}, r.Ending)
	require.EqualValues(t, size, r.Evidence.Output.Total)
}

func TestFault26BinaryOutput(t *testing.T) {
	cfg := sh(t, switches{}, `head -c 1048576 /dev/urandom | tee copy`)
	cfg.Spec.Command.Dir = t.TempDir()
	cfg.Spec.Keep.OutputBytes = 4 << 20
	r := once(t, cfg)
	want, err := os.ReadFile(filepath.Join(cfg.Spec.Command.Dir, "copy"))
	require.NoError(t, err)
	require.Equal(t, sha256.Sum256(want), sha256.Sum256(r.Evidence.Output.Bytes()))
	require.Zero(t, r.Evidence.Output.Omitted)
}
