package provenance

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var epoch = time.Unix(1_000_000_000, 0)

// tree writes a small system below a folder of its own.
func tree(t *testing.T, files map[string]string) Root {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		put(t, filepath.Join(dir, name), content)
	}
	return Root(dir)
}

func TestHostReadsAPreparedTree(t *testing.T) {
	root := tree(t, map[string]string{
		"etc/os-release": "NAME=X\nPRETTY_NAME=\"Some Linux 1\"\n",
		"proc/cpuinfo": "processor\t: 0\nmodel name\t: Fast CPU\nflags\t\t: fpu hypervisor\n\n" +
			"processor\t: 1\nmodel name\t: Fast CPU\nflags\t\t: fpu hypervisor\n",
		"proc/meminfo":     "MemTotal: 1024 kB\nMemFree: 10 kB\nMemAvailable: 20 kB\nSwapTotal: 2048 kB\nSwapFree: 0 kB\n",
		"proc/loadavg":     "1.50 2.50 3.50 2/345 678\n",
		"proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 unlimited            files     \nMax nice priority         0                    0                    \n",
		"proc/self/cgroup": "0::/docker/abc\n",
		"proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
		"sys/devices/system/cpu/online":                                   "0-1\n",
		"sys/fs/cgroup/memory.max":                                        "max\n",
	})
	h := root.Host(context.Background())
	require.Equal(t, "Some Linux 1", h.Distribution)
	require.Equal(t, "Fast CPU", h.CPUModel)
	require.Equal(t, 2, h.CPUs)
	require.True(t, h.Hypervisor)
	require.Equal(t, "0-1", h.Online)
	require.Equal(t, uint64(1024<<10), h.Memory)
	require.Equal(t, uint64(2048<<10), h.Swap)
	require.Equal(t, []float64{1.5, 2.5, 3.5}, h.Load)
	require.Equal(t, "tsc", h.ClockSource)
	require.Equal(t, "docker", h.Container)
	require.Equal(t, [2]string{"1024", "unlimited"}, h.ResourceLimits["open files"])
	require.Equal(t, Limits{Version: 2}, h.ContainerLimits)
	require.Empty(t, h.NotCollected)
}

func TestHostSaysWhatItCouldNotHave(t *testing.T) {
	h := tree(t, nil).Host(context.Background())
	for _, what := range []string{
		"distribution", "cpu_model", "cpus_online", "memory", "clock_source", "resource_limits", "container_limits",
	} {
		require.NotEmpty(t, h.NotCollected[what], what)
	}
	require.NotEmpty(t, h.Kernel)
}

func TestHostOfThisMachineNamesNobody(t *testing.T) {
	h := System.Host(context.Background())
	require.NotEmpty(t, h.Affinity)
	require.NotZero(t, h.Memory)
	text, err := json.Marshal(h)
	require.NoError(t, err)
	name, err := os.Hostname()
	require.NoError(t, err)
	if len(name) > 4 {
		require.NotContains(t, string(text), name)
	}
}

func TestCgroupLimits(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  Limits
	}{
		"version 2, the narrowest ancestor holds": {map[string]string{
			"proc/self/cgroup":               "0::/a/b\n",
			"proc/self/mounts":               "x /sys/fs/my\\040cg cgroup2 rw 0 0\n",
			"sys/fs/my cg/a/cpu.max":         "150000 100000\n",
			"sys/fs/my cg/a/b/cpu.max":       "max 100000\n",
			"sys/fs/my cg/a/memory.max":      "1000000\n",
			"sys/fs/my cg/a/b/memory.max":    "2000000\n",
			"sys/fs/my cg/a/b/pids.max":      "77\n",
			"sys/fs/my cg/a/sibling/cpu.max": "1 100000\n",
		}, Limits{CPUs: 1.5, Memory: 1000000, Tasks: 77, Version: 2}},
		"version 1, the path is the host's": {map[string]string{
			"proc/self/cgroup":                              "4:memory:/docker/x\n3:pids:/\n2:cpu,cpuacct:/docker/x\n",
			"proc/self/mounts":                              "c /sys/fs/cgroup/memory cgroup rw,memory 0 0\nc /sys/fs/cgroup/cpu cgroup rw,cpu,cpuacct 0 0\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":    "536870912\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":            "50000\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us":           "100000\n",
			"sys/fs/cgroup/cpu/elsewhere/cpu.cfs_period_us": "1\n",
		}, Limits{CPUs: 0.5, Memory: 536870912, Version: 1}},
		"version 1, unlimited": {map[string]string{
			"proc/self/cgroup":        "4:memory:/\n2:cpu:/\n",
			"proc/self/mounts":        "c /m cgroup rw,memory 0 0\nc /c cgroup rw,cpu 0 0\n",
			"m/memory.limit_in_bytes": "9223372036854771712\n",
			"c/cpu.cfs_quota_us":      "-1\n", "c/cpu.cfs_period_us": "100000\n",
		}, Limits{Version: 1}},
		"garbage": {map[string]string{
			"proc/self/cgroup":      "\n:\n0::/../..\n",
			"proc/self/mounts":      "\nx\nx /sys/fs/cgroup cgroup2 rw 0 0\n",
			"sys/fs/cgroup/cpu.max": "x y z\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, Limits{Version: 2}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tree(t, c.files).cgroupLimits()
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestContainer(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"podman":         {"run/.containerenv": ""},
		"docker":         {".dockerenv": ""},
		"systemd-nspawn": {"proc/1/environ": "A=b\x00container=systemd-nspawn\x00"},
		"kubepods":       {"proc/self/cgroup": "0::/kubepods.slice/x\n"},
		"":               {"proc/self/cgroup": "0::/user.slice\n"},
	} {
		require.Equal(t, want, tree(t, files).container())
	}
}
