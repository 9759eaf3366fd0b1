package starve

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSchedstat(t *testing.T) {
	s, ok := parseSchedstat([]byte("123456789 40761 17\n"))
	require.True(t, ok)
	require.Equal(t, schedstat{cpu: 123456789, delay: 40761, slices: 17}, s)
	for _, bad := range []string{"", "1 2", "1 2 x", "-1 2 3", "99999999999999999999 1 1", "a 1 2"} {
		_, ok := parseSchedstat([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}

func TestParsePressure(t *testing.T) {
	p, ok := parsePressure([]byte("some avg10=34.17 avg60=42.64 avg300=63.24 total=915076805\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"))
	require.True(t, ok)
	require.Equal(t, pressure{some: 915076805, full: 12, hasFull: true}, p)
	p, ok = parsePressure([]byte("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"))
	require.True(t, ok)
	require.False(t, p.hasFull, "cpu before Linux 5.13")
	for _, bad := range []string{"", "some total=", "some 5", "full total=1\n"} {
		_, ok := parsePressure([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}

func TestParseCPUStat(t *testing.T) {
	s, ok := parseCPUStat([]byte("cpu  1 2 3 4 5 6 7 654 0 0\ncpu0 1\ncpu1 1\nintr 5 5\nctxt 32678064\nprocs_running 3\n"))
	require.True(t, ok)
	require.Equal(t, cpuStat{steal: 654, cpus: 2, switches: 32678064}, s)
	for _, bad := range []string{"", "cpu  1 2 3\nctxt 4\n", "cpu  1 2 3 4 5 6 7 8\ncpu0 1\n", "ctxt 5\n"} {
		_, ok := parseCPUStat([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}

func TestParseRunnable(t *testing.T) {
	n, ok := parseRunnable([]byte("4.81 9.06 7.48 10/158 11945\n"))
	require.True(t, ok)
	require.EqualValues(t, 10, n)
	for _, bad := range []string{"", "1 2 3", "1 2 3 4", "1 2 3 x/4"} {
		_, ok := parseRunnable([]byte(bad))
		require.False(t, ok, "%q", bad)
	}
}

func TestParseThrottling(t *testing.T) {
	v2, ok := parseThrottling([]byte("usage_usec 100\nnr_periods 8\nnr_throttled 3\nthrottled_usec 4500\nnr_bursts 0\n"))
	require.True(t, ok)
	require.Equal(t, throttling{microseconds: 4500, periods: 3}, v2)
	v1, ok := parseThrottling([]byte("nr_periods 8\nnr_throttled 3\nthrottled_time 4500000\n"))
	require.True(t, ok)
	require.Equal(t, v2, v1)
	_, ok = parseThrottling([]byte("usage_usec 100\nuser_usec 60\nsystem_usec 40\n"))
	require.False(t, ok, "a group without the controller says nothing: that is not zero")
}

func TestParsersMakeNoGarbage(t *testing.T) {
	sched, psi := []byte("123456789 40761 17\n"), []byte("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		parseSchedstat(sched)
		parsePressure(psi)
	}))
}

func TestGroupFolders(t *testing.T) {
	folders := groupFolders("9:name=systemd:/\n4:cpu,cpuacct:/a\n2:cpuset:/no\n0::/b\n", "/cg")
	require.Equal(t, []string{"/cg/cpu,cpuacct/a", "/cg/cpu/a", "/cg/cpu,cpuacct/a", "/cg/b", "/cg/unified/b"}, folders[:5])
	require.NotContains(t, strings.Join(folders, " "), "/no")
	require.Contains(t, folders, filepath.FromSlash("/cg"), "where a container shows the host's path")
}

// What a parser accepts it must be able to write again, and no input makes it panic.
func FuzzParsers(f *testing.F) {
	for _, path := range []string{"/proc/self/schedstat", "/proc/pressure/cpu", "/proc/stat", "/proc/loadavg", "/sys/fs/cgroup/cpu.stat"} {
		if data, err := os.ReadFile(path); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte("1 2 3\n"))
	f.Add([]byte("some total=9223372036854775807\nfull total=9223372036854775808"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, ok := parseSchedstat(data); ok {
			again, ok := parseSchedstat(fmt.Appendf(nil, "%d %d %d\n", s.cpu, s.delay, s.slices))
			require.True(t, ok)
			require.Equal(t, s, again)
		}
		if p, ok := parsePressure(data); ok {
			require.GreaterOrEqual(t, p.some, int64(0))
		}
		if s, ok := parseCPUStat(data); ok {
			require.Positive(t, s.cpus)
		}
		if n, ok := parseRunnable(data); ok {
			require.GreaterOrEqual(t, n, int64(0))
		}
		if th, ok := parseThrottling(data); ok {
			require.GreaterOrEqual(t, th.microseconds, int64(0))
		}
		eachNumber(data, func(n int) { require.Positive(t, n) })
	})
}
