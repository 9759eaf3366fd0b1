package proc

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/run"
)

func TestParseStat(t *testing.T) {
	line := "1234 (a) b (c)) S 1 1234 1200 0 -1 4194308 1 2 3 4 5 6 7 8 20 0 1 0 98765 1 2 3"
	s, err := parseStat([]byte(line))
	require.NoError(t, err)
	require.Equal(t, stat{PID: 1234, Comm: "a) b (c)", State: 'S', Parent: 1, Group: 1234, Session: 1200, Flags: 4194308, Start: 98765}, s)
	require.True(t, s.over(), "PF_EXITING is set")
	for _, bad := range []string{"", "1", "1 (x", "1 (x) S", "x (x) S 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1", ") (", "1 (x) SS 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1"} {
		_, err := parseStat([]byte(bad))
		require.ErrorIs(t, err, errStat, bad)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("1 (x) S 1 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 9 1 2 3"))
	f.Fuzz(func(t *testing.T, line []byte) {
		s, err := parseStat(line)
		if err == nil && !bytes.Contains(line, []byte("("+s.Comm+")")) {
			t.Errorf("name %q is not in %q", s.Comm, line)
		}
	})
}

func TestCommandIsCutAndEscaped(t *testing.T) {
	root := t.TempDir()
	write := func(pid, name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Join(root, pid), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, pid, name), []byte(content), 0o600))
	}
	fs := procFS(root)
	write("7", "cmdline", "printf\x00\x1b]52;c;QQ==\a\x00\"q\"\x00")
	require.Equal(t, `printf \x1b]52;c;QQ==\a "q"`, fs.command(7))
	write("8", "cmdline", strings.Repeat("\x01", 5000))
	require.Len(t, fs.command(8), commandBytes)
	write("9", "cmdline", "")
	write("9", "stat", "9 (kworker/\n) S 1 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 9 1 2 3")
	require.Equal(t, `[kworker/\n]`, fs.command(9))
	require.Equal(t, "[gone]", fs.command(10))
	pids, err := fs.pids()
	require.NoError(t, err)
	require.ElementsMatch(t, []int{7, 8, 9}, pids)
}

func TestDescendants(t *testing.T) {
	root := t.TempDir()
	for pid, children := range map[string]string{"1": "2 3 ", "2": "4", "3": "", "4": "1"} { // a ring, as reuse may show one
		dir := filepath.Join(root, pid, "task", pid)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "children"), []byte(children), 0o600))
	}
	require.ElementsMatch(t, []int{2, 3, 4, 1}, procFS(root).descendants(1))
}

func TestHierarchies(t *testing.T) {
	cases := []struct {
		name, mountinfo, cgroup string
		want                    hierarchies
	}{
		{"pure v2", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "0::/user.slice/a.scope",
			hierarchies{"": "/sys/fs/cgroup/user.slice/a.scope"}},
		{"hybrid", "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n",
			"3:cpu,cpuacct:/x\n0::/", hierarchies{"": "/sys/fs/cgroup/unified", "cpu": "/sys/fs/cgroup/cpu,cpuacct/x", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/x"}},
		{"part of a hierarchy", "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw", "0::/docker/abc/own", hierarchies{"": "/sys/fs/cgroup/own"}},
		{"outside the part", "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 none rw", "0::/", hierarchies{}},
		{"space", `30 23 0:26 / /a\040b rw - cgroup2 none rw`, "0::/", hierarchies{"": "/a b"}},
		{"nothing", "30 23 0:26 / / rw - ext4 /dev/vda rw\nnonsense", "nonsense", hierarchies{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, parseHierarchies([]byte(c.mountinfo), []byte(c.cgroup)))
		})
	}
}

func TestCounter(t *testing.T) {
	data := []byte("low 0\noom 3\noom_kill 2\noom_group_kill 1\n")
	n, ok := counter(data, "oom_kill")
	require.True(t, ok)
	require.EqualValues(t, 2, n)
	_, ok = counter(data, "kill")
	require.False(t, ok)
}

func TestEnvironment(t *testing.T) {
	cfg := Config{Campaign: "c", Environ: []string{"A=1", "HEISEN_SLOT=9", "TMPDIR=/x", "HEISEN_EVENTS=outer", "A=2"}}
	a := run.Attempt{Seq: 5, Slot: 3, Temp: "/t"}
	own := []string{"A=2", "HEISEN_EVENTS=outer", "HEISEN_CAMPAIGN=c", "TMPDIR=/t", "HEISEN_ATTEMPT=5", "HEISEN_SLOT=3", "HEISEN_SEED=0", "HEISEN_PORT_BASE=0"}
	r := newRecipe(cfg, nil)
	require.ElementsMatch(t, own, r.make(a).env)
	require.ElementsMatch(t, own, r.make(a).env, "once more")
	a.Events = "/e"
	own[1] = "HEISEN_EVENTS=/e"
	require.ElementsMatch(t, own, r.make(a).env)
	cfg.Spec.Command.Env = []string{"A={slot}", "TMPDIR=/mine"}
	own[0], own[3] = "A=3", "TMPDIR=/mine"
	require.ElementsMatch(t, own, newRecipe(cfg, nil).make(a).env)
	a.Env = []string{"A=last"}
	own[0] = "A=last"
	require.ElementsMatch(t, own, newRecipe(cfg, nil).make(a).env)
}

func TestMerge(t *testing.T) {
	require.Equal(t, []string{"B=2", "A=3", "C="}, merge([]string{"A=1", "B=2"}, []string{"A=0", "A=3", "C=", "junk", "=x"}))
}

// A tape is compared with one that keeps everything.
func TestTapeKeepsHeadAndTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keep := rapid.Int64Range(0, 300).Draw(t, "keep") * 64
		tp := newTape(keep)
		var all []byte
		var at time.Duration
		cost := 0 // what the writes take of the budget if none of them is merged
		for i := range rapid.IntRange(0, 60).Draw(t, "writes") {
			at += time.Duration(rapid.IntRange(0, 3).Draw(t, "gap")) * coalesce / 2
			data := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(1, 4000).Draw(t, "size"))
			tp.write(run.Stream(1+i%2), at, data)
			all = append(all, data...)
			cost += max(len(data), chunkCost)
		}
		o := tp.output()
		head, tail := join(o.Head), join(o.Tail)
		if o.Total != int64(len(all)) || o.Omitted != o.Total-int64(len(head)+len(tail)) {
			t.Fatalf("total %d omitted %d of %d", o.Total, o.Omitted, len(all))
		}
		if !bytes.HasPrefix(all, head) || !bytes.HasSuffix(all, tail) || len(head)+len(tail) > len(all) {
			t.Fatal("not head and tail of what was written")
		}
		if len(head) > int(keep/2) || len(tail) > int(keep/2) {
			t.Fatalf("kept %d and %d of %d", len(head), len(tail), keep)
		}
		if int64(cost) <= keep/2 && o.Omitted != 0 {
			t.Fatal("left something out that had room")
		}
		var last time.Duration
		for _, c := range append(o.Head, o.Tail...) {
			if c.At < last || len(c.Data) == 0 {
				t.Fatalf("chunk at %v after %v, %d bytes", c.At, last, len(c.Data))
			}
			last = c.At
		}
	})
}

func join(chunks []run.Chunk) []byte {
	return (&run.Output{Head: chunks}).Bytes()
}

func TestStopperSteps(t *testing.T) {
	const s = time.Second
	type step struct {
		at     time.Duration
		orders run.Orders
		act    action
		wait   time.Duration
	}
	lim := run.Orders{Timeout: 10 * s}
	cases := []struct {
		name  string
		dump  bool
		steps []step
	}{
		{"no time-out", true, []step{{s, run.Orders{}, doNothing, never}}},
		{"all steps", true, []step{
			{4 * s, lim, doNothing, 6 * s}, {10 * s, lim, doDump, 0}, {10 * s, lim, doNothing, 2 * s},
			{12 * s, lim, doTerminate, 0}, {13 * s, lim, doNothing, s}, {14 * s, lim, doKill, 0}, {15 * s, lim, doNothing, never},
		}},
		{"no dump signal", false, []step{{10 * s, lim, doTerminate, 0}, {12 * s, lim, doKill, 0}}},
		{"time-out shortened", false, []step{{4 * s, run.Orders{Timeout: 3 * s}, doTerminate, 0}}},
		{"paused", false, []step{
			{s, run.Orders{Timeout: 10 * s, Paused: true}, doSuspend, 0}, {50 * s, run.Orders{Timeout: 10 * s, Paused: true}, doNothing, never},
			{60 * s, lim, doResume, 0}, {60 * s, lim, doNothing, 9 * s}, {69 * s, lim, doTerminate, 0},
		}},
		{"stopped while paused", true, []step{
			{s, run.Orders{Paused: true}, doSuspend, 0}, {2 * s, run.Orders{Paused: true, Stop: run.StopGently}, doResume, 0},
			{2 * s, run.Orders{Paused: true, Stop: run.StopGently}, doTerminate, 0}, {4 * s, run.Orders{Paused: true, Stop: run.StopGently}, doKill, 0},
		}},
		{"stopped at once", true, []step{{s, run.Orders{Stop: run.StopNow}, doKill, 0}}},
		{"at once after gently", true, []step{{s, run.Orders{Stop: run.StopGently}, doTerminate, 0}, {s, run.Orders{Stop: run.StopNow}, doKill, 0}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := stopper{dump: c.dump, grace: 2 * s}
			for i, step := range c.steps {
				act, wait := st.next(step.orders, step.at)
				require.Equal(t, []any{step.act, step.wait}, []any{act, wait}, "step %d", i)
			}
		})
	}
}

// Whatever is ordered and whenever: once the orders are to stop, two graces later it is killed.
func TestStopperAlwaysEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := stopper{dump: rapid.Bool().Draw(t, "dump"), grace: time.Second}
		var now time.Duration
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond
			orders := run.Orders{
				Timeout: time.Duration(rapid.IntRange(0, 5).Draw(t, "timeout")) * time.Second,
				Paused:  rapid.Bool().Draw(t, "paused"),
			}
			for act, _ := st.next(orders, now); act != doNothing; act, _ = st.next(orders, now) {
			}
		}
		if stood := st.pausedFor(now); stood < 0 || stood > now {
			t.Fatalf("stood %v of %v", stood, now)
		}
		stop := run.Orders{Stop: run.StopGently}
		for end := now + 3*time.Second; now <= end; now += 100 * time.Millisecond {
			for act, _ := st.next(stop, now); act != doNothing; act, _ = st.next(stop, now) {
			}
		}
		if st.phase != killing || st.suspended {
			t.Fatalf("phase %d, suspended %v", st.phase, st.suspended)
		}
	})
}

func TestInsteadTakesTheCommandsPlace(t *testing.T) {
	r := newRecipe(Config{Spec: run.Spec{Command: run.Command{Args: []string{"go", "test"}, Path: "/usr/bin/go", Dir: "/a"}}}, nil)
	inv := r.make(run.Attempt{Seq: 7, Wrap: []string{"/bin/env"}, Instead: &run.Command{
		Args: []string{"/x.test", "{attempt}"}, Path: "/x.test", Dir: "/b", Env: []string{"WHO={attempt}"}}})
	require.Equal(t, "/bin/env", inv.path)
	require.Equal(t, []string{"/bin/env", "/x.test", "/x.test", "7"}, inv.args)
	require.Equal(t, "/b", inv.dir)
	require.Contains(t, inv.env, "WHO=7")
	require.Equal(t, "/usr/bin/go", r.make(run.Attempt{}).path, "it was one attempt's alone")
}
