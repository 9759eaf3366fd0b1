package doctor

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree builds a /proc and /sys of files in a temp folder.
func tree(t *testing.T, files map[string]string) root {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content+"\n"), 0o644))
	}
	return root(dir)
}

const (
	v2Mount     = "41 31 0:38 / /cg rw,relatime - cgroup2 cgroup2 rw"
	memoryMount = "35 31 0:32 / /cg/memory rw,relatime - cgroup cgroup rw,memory"
	hybrid      = memoryMount + "\n" + "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw"
)

func TestMemoryLeftFollowsEveryGroupUpwards(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{"no cgroups", nil, math.MaxUint64},
		{"v2, the parent is the tighter", map[string]string{
			"proc/self/cgroup": "0::/a/b", "proc/self/mountinfo": v2Mount,
			"cg/a/b/memory.max": "9000", "cg/a/b/memory.current": "10",
			"cg/a/memory.max": "5000", "cg/a/memory.current": "4000",
			"cg/memory.stat": "",
		}, 1000},
		{"v2 without a limit", map[string]string{
			"proc/self/cgroup": "0::/a", "proc/self/mountinfo": v2Mount,
			"cg/a/memory.max": "max", "cg/a/memory.current": "10",
		}, math.MaxUint64},
		{"more in use than allowed", map[string]string{
			"proc/self/cgroup": "0::/a", "proc/self/mountinfo": v2Mount,
			"cg/a/memory.max": "5", "cg/a/memory.current": "10",
		}, 0},
		{"v1 in hybrid mode", map[string]string{
			"proc/self/cgroup": "4:memory:/x\n0::/", "proc/self/mountinfo": hybrid,
			"cg/memory/x/memory.limit_in_bytes": "700", "cg/memory/x/memory.usage_in_bytes": "100",
			"cg/memory/memory.limit_in_bytes": "9223372036854771712", "cg/memory/memory.usage_in_bytes": "500",
		}, 600},
		{"a container's path that is not under its mount", map[string]string{
			"proc/self/cgroup": "0::/../../docker/x", "proc/self/mountinfo": v2Mount,
			"cg/memory.max": "800", "cg/memory.current": "300",
		}, 500},
		{"a mount whose root is the container's own group", map[string]string{
			"proc/self/cgroup": "4:memory:/docker/x", "proc/self/mountinfo": "35 31 0:32 /docker/x /cg/memory ro - cgroup cgroup rw,memory",
			"cg/memory/memory.limit_in_bytes": "800", "cg/memory/memory.usage_in_bytes": "200",
		}, 600},
		{"nonsense", map[string]string{
			"proc/self/cgroup": "x\n0::/a", "proc/self/mountinfo": "y\n" + v2Mount,
			"cg/a/memory.max": "many",
		}, math.MaxUint64},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, memoryLeft(tree(t, tc.files)))
		})
	}
}

func TestAvailableIsNoMoreThanTheCgroupAllows(t *testing.T) {
	files := map[string]string{
		"proc/meminfo":     "MemTotal: 100 kB\nMemAvailable:   50 kB",
		"proc/self/cgroup": "0::/a", "proc/self/mountinfo": v2Mount,
		"cg/a/memory.max": "90000", "cg/a/memory.current": "0",
	}
	require.EqualValues(t, 50<<10, available(tree(t, files)))
	files["cg/a/memory.max"] = "4096"
	require.EqualValues(t, 4096, available(tree(t, files)))
}

func TestPidsOfTheCgroupBoundTheTasks(t *testing.T) {
	r := tree(t, map[string]string{
		"proc/self/cgroup": "0::/a", "proc/self/mountinfo": v2Mount,
		"cg/a/pids.max": "40", "cg/a/pids.current": "10",
		"proc/sys/kernel/threads-max": "5000",
	})
	require.EqualValues(t, 30, tasksLeft(r))
	c := processes(r, 300)
	require.Equal(t, Lesser, c.State)
	require.Contains(t, c.Remedy, "TasksMax")
}

func TestFilesOfTheKernel(t *testing.T) {
	const source = "sys/devices/system/clocksource/clocksource0/current_clocksource"
	const schedstat = "proc/thread-self/schedstat"
	for _, tc := range []struct {
		name  string
		look  func(root) Check
		files map[string]string
		want  State
		found string
	}{
		{"pressure", pressure, map[string]string{"proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1"}, OK, "pressure stall"},
		{"no pressure", pressure, nil, Missing, "no such file"},
		{"empty pressure", pressure, map[string]string{"proc/pressure/cpu": ""}, Missing, "no pressure"},
		{"run delay", runDelay, map[string]string{schedstat: "100 20 3"}, OK, "without CONFIG_SCHEDSTATS"},
		{"run delay and statistics", runDelay, map[string]string{schedstat: "100 20 3", "proc/sys/kernel/sched_schedstats": "0"}, OK, "with CONFIG_SCHEDSTATS"},
		{"run delay compiled out", runDelay, map[string]string{schedstat: "0 0 0"}, Missing, "no run delay"},
		{"no schedstat", runDelay, nil, Missing, "no run delay"},
		{"good clock", clock, map[string]string{source: "tsc"}, OK, "tsc"},
		{"slow clock", clock, map[string]string{source: "hpet"}, Lesser, "hpet"},
		{"no clock", clock, nil, Lesser, "not shown"},
		{"core files", coreDumps, map[string]string{"proc/sys/kernel/core_pattern": "core"}, OK, `"core"`},
		{"core handler", coreDumps, map[string]string{"proc/sys/kernel/core_pattern": "|/usr/lib/handler %p"}, Lesser, "handler"},
		{"no core_pattern", coreDumps, nil, Lesser, "cannot be read"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := tc.look(tree(t, tc.files))
			require.Equal(t, tc.want, c.State, c)
			require.Contains(t, c.Found, tc.found)
			requireAdvice(t, c)
		})
	}
}

// requireAdvice holds every check to the same promise: what is not ok says what is lost and what to do.
func requireAdvice(t *testing.T, c Check) {
	t.Helper()
	require.NotEmpty(t, c.Found, c)
	if c.State == OK {
		require.Empty(t, c.Lost, c)
		require.Empty(t, c.Remedy, c)
		return
	}
	require.NotEmpty(t, c.Lost, c)
	require.NotEmpty(t, c.Remedy, c)
}
