package proc

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heisen/stress/run"
)

// BenchmarkRunTrue is the cost of supervision: /bin/true with everything on, many at a time. Compare with
// golang.org/x/tools/cmd/stress -p N -count 6000 /bin/true.
func BenchmarkRunTrue(b *testing.B) {
	for _, tier := range []string{"A", "D"} {
		for _, width := range []int{2, 64, 300} {
			b.Run(fmt.Sprintf("%s/%d", tier, width), func(b *testing.B) { runTrue(b, tier, width) })
		}
	}
}

func runTrue(b *testing.B, tier string, width int) {
	cfg := testConfig(b, "/bin/true")
	cfg.off.cgroup = tier == "D"
	s, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	if s.Tier().Name[:1] != tier {
		b.Skip("tier is " + s.Tier().Name)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for slot := range width {
		wg.Go(func() {
			for {
				seq := next.Add(1)
				if seq > int64(b.N) {
					return
				}
				r := s.Run(run.Attempt{Seq: seq, Try: 1, Slot: slot, Temp: "/tmp/x", Timeout: time.Minute, Seed: 7, PortBase: 20000}, nil)
				if r.Ending != (run.Ending{}) {
					b.Errorf("attempt %d: %+v", seq, r.Ending)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "attempts/s")
	if err := s.Close(); err != nil {
		b.Error(err)
	}
}

var campaigns atomic.Int64

func newCampaign() string {
	return "test-" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.FormatInt(campaigns.Add(1), 10)
}

// testConfig is a campaign of its own that runs one command.
func testConfig(tb testing.TB, args ...string) Config {
	tb.Helper()
	return Config{
		Campaign: newCampaign(),
		Environ:  []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "HOME=/"},
		Spec: run.Spec{
			Command: run.Command{Args: args, Path: args[0]},
			Timeout: run.TimeoutPolicy{DumpSignal: "QUIT", Grace: 200 * time.Millisecond},
			Keep:    run.Keep{OutputBytes: 64 << 10},
			Width:   1,
		},
	}
}
