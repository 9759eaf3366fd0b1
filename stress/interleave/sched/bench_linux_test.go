package sched

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRecord is the reader's cost of one record: decoding, ordering over two rings, folding.
func BenchmarkRecord(b *testing.B) {
	l := newLineage(Config{}.withDefaults())
	l.lanes[laneTID] = true
	l.claim(1, 5, 0)
	l.take(0, &wire{kind: typeFork, at: 1, pid: 5, tid: 5, ppid: 1, ptid: laneTID})
	m := merger{feeds: make([]feed, 2)}
	at := int64(10)
	const batch = 1000
	b.ReportAllocs()
	for n := 0; n < b.N; n += 2 * batch {
		for i := range m.feeds {
			for k := range int64(batch) {
				w := wire{kind: typeSwitch, at: at + 2*k + int64(i), pid: 5, tid: 5, misc: uint16(k&1) * miscSwitchOut}
				m.feeds[i].buf = appendSwitch(m.feeds[i].buf, w)
			}
		}
		at += 2 * batch
		m.upTo(at, l.take)
	}
}

// appendSwitch is bytesOf without its allocations.
func appendSwitch(b []byte, w wire) []byte {
	var raw [headerSize + sampleSize]byte
	copy(raw[:], bytesOfSwitch)
	raw[5] = byte(w.misc >> 8)
	for i := range 8 {
		raw[16+i] = byte(w.at >> (8 * i))
	}
	return append(b, raw[:]...)
}

var bytesOfSwitch = bytesOf(wire{kind: typeSwitch, pid: 5, tid: 5})

// BenchmarkAttempt is /bin/true, alone and recorded: the difference is what an attempt costs.
func BenchmarkAttempt(b *testing.B) {
	l := newLane(b, Config{})
	bare := newBareLane(b)
	argv := []string{"/bin/true"}
	b.Run("plain", func(b *testing.B) {
		for range b.N {
			pid, _, out := bare.fork(argv, nil)
			(&process{tb: b, pid: pid, out: out}).wait()
		}
	})
	b.Run("followed", func(b *testing.B) {
		for range b.N {
			pid, _, out := l.fork(argv, nil)
			(&process{tb: b, pid: pid, out: out}).wait()
		}
	})
	b.Run("recorded", func(b *testing.B) {
		for range b.N {
			l.startProgram(1, argv, nil).finish()
		}
	})
	b.Run("attach and detach", func(b *testing.B) {
		for range b.N {
			c, _ := l.rec.Attach(1, 1, time.Now())
			c.Detach()
		}
	})
}

// newBareLane starts programs from a thread that nobody follows.
func newBareLane(tb testing.TB) *lane {
	l := &lane{tb: tb, work: make(chan func())}
	go func() {
		for work := range l.work {
			work()
		}
	}()
	tb.Cleanup(func() { close(l.work) })
	return l
}

// TestCosts runs programs alone and recorded in turn and prints what the record costs them. It asserts
// only that nothing was lost: the machine's speed is not the test's business.
func TestCosts(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("set HEISEN_SLOW_TESTS=1: it takes a minute")
	}
	l := newLane(t, Config{})
	bare := newBareLane(t)
	for _, c := range []struct {
		role   string
		rounds int
	}{
		{"spin 4 250", 15},     // CPU-bound
		{"threads 4 2000", 15}, // 8,000 short sleeps
		{"threads 1000 1", 15}, // 1,000 threads made
		{"ping 50000", 15},     // 200,000 switches: the worst there is
		{"forks 100", 15},
	} {
		var wall, cpu [2][]float64
		events := 0
		for range c.rounds {
			for i, on := range []*lane{bare, l} {
				began := time.Now()
				pid, forked, out := on.fork([]string{"/proc/self/exe"}, []string{helperVariable + "=" + c.role, "GODEBUG=asyncpreemptoff=1"})
				p := &process{tb: t, pid: pid, out: out}
				if i == 1 {
					var err error
					p.Recording, err = l.rec.Attach(1, pid, forked)
					require.NoError(t, err)
				}
				_, usage := p.wait()
				if i == 1 {
					r := p.Finish()
					require.Zero(t, r.Lost, c.role)
					events = len(r.Events) + r.Dropped
				}
				wall[i] = append(wall[i], time.Since(began).Seconds())
				cpu[i] = append(cpu[i], cpuOf(usage).Seconds())
			}
		}
		t.Logf("%-14s wall %7.1f -> %7.1f ms (%+.1f %%)  CPU %7.1f -> %7.1f ms (%+.1f %%)  %d events", c.role,
			1e3*median(wall[0]), 1e3*median(wall[1]), 100*(median(wall[1])/median(wall[0])-1),
			1e3*median(cpu[0]), 1e3*median(cpu[1]), 100*(median(cpu[1])/median(cpu[0])-1), events)
	}
	t.Logf("%+v", l.rec.Stats())
}

func cpuOf(u syscall.Rusage) time.Duration { return time.Duration(u.Utime.Nano() + u.Stime.Nano()) }

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
