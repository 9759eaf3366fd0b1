package journal

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// passes makes records as a campaign of a short test does: passes, encoded by the codec of the program.
type passes struct {
	r  *rand.Rand
	at time.Time
}

func newPasses() *passes {
	return &passes{r: rand.New(rand.NewPCG(3, 4)), at: time.Date(2026, 11, 21, 22, 45, 12, 0, time.UTC)}
}

func (p *passes) record(t testing.TB, seq int64) []byte {
	p.at = p.at.Add(time.Duration(p.r.ExpFloat64() * float64(500*time.Microsecond)))
	data, err := run.Encode(run.Finished{
		Seq: seq, Try: 1, Epoch: 1, Slot: p.r.IntN(64), Running: 64, Seed: run.SeedFor(7, seq), At: p.at,
		Wall: 30_000 + int64(p.r.NormFloat64()*4000), User: 9000 + int64(p.r.NormFloat64()*1500),
		System: 4000 + int64(p.r.NormFloat64()*800), MaxRSS: 11_000 + int64(p.r.IntN(200)),
		Outcome: run.Pass, Output: 120,
	})
	require.NoError(t, err)
	return data
}

// reportFold does what a report does: it parses every record and keeps a set of those seen.
type reportFold struct {
	Attempts int64
	Seen     []byte
}

func newReportFold(snapshot []byte) (Fold, error) {
	f := &reportFold{}
	if snapshot == nil {
		return f, nil
	}
	return f, json.Unmarshal(snapshot, f)
}

func (f *reportFold) Apply(payload []byte) error {
	event, err := run.Decode(payload)
	if err != nil {
		return err
	}
	seq := event.(run.Finished).Seq
	for int64(len(f.Seen)) <= seq/8 {
		f.Seen = append(f.Seen, make([]byte, 4096)...)
	}
	if f.Seen[seq/8]&(1<<(seq%8)) == 0 {
		f.Seen[seq/8] |= 1 << (seq % 8)
		f.Attempts++
	}
	return nil
}

func (f *reportFold) Snapshot() ([]byte, error) { return json.Marshal(f) }

// diskBytes is what all sealed segments and snapshots take.
func diskBytes(t testing.TB, dir, pattern string) (total int64) {
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	for _, name := range names {
		info, err := os.Stat(name)
		require.NoError(t, err)
		total += info.Size()
	}
	return total
}

// A sealed pass takes at most 64 bytes, also where so few attempts end at a time that each is a batch.
func TestSealedPassesAreSmall(t *testing.T) {
	for _, perBatch := range []int{1, 4, 16} {
		t.Run(strconv.Itoa(perBatch)+" a batch", func(t *testing.T) {
			dir := filepath.Join(fastDir(t), "j")
			opts := options()
			opts.SegmentBytes, opts.CommitRecords, opts.CommitDelay = 2<<20, perBatch, time.Hour
			j := open(t, dir, opts)
			p := newPasses()
			for seq := int64(1); ; {
				l, err := list(dir)
				require.NoError(t, err)
				if l.last() > 1 {
					break
				}
				var wg sync.WaitGroup
				wg.Add(perBatch)
				for range perBatch {
					j.Submit(p.record(t, seq), func(error) { wg.Done() })
					seq++
				}
				wg.Wait()
			}
			require.NoError(t, j.Close())
			sum, err := ReadAll(dir, nil)
			require.NoError(t, err)
			each := float64(diskBytes(t, dir, "*.zst")) / float64(sum.Records)
			t.Logf("%d records, %.1f bytes each once sealed", sum.Records, each)
			require.LessOrEqual(t, each, 64.0)
		})
	}
}

// TestScale writes a million passes (HEISEN_SCALE_RECORDS for another number) and resumes.
func TestScale(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("a million records: set HEISEN_SLOW_TESTS=1")
	}
	n := int64(1_000_000)
	if text := os.Getenv("HEISEN_SCALE_RECORDS"); text != "" {
		var err error
		n, err = strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
	}
	dir := filepath.Join(t.TempDir(), "j")
	opts := Options{Campaign: "scale", NewFold: newReportFold}
	j := open(t, dir, opts)
	p := newPasses()
	began, cpu := time.Now(), cpuTime(t)
	var encoding time.Duration
	var failed error
	for seq := int64(1); seq <= n; seq++ {
		before := time.Now()
		data := p.record(t, seq)
		encoding += time.Since(before)
		j.Submit(data, func(err error) {
			if err != nil {
				failed = err
			}
		})
	}
	require.NoError(t, j.Close())
	require.NoError(t, failed)
	wrote := time.Since(began)
	cpu = cpuTime(t) - cpu
	t.Logf("wrote %d records in %v, %.2f µs CPU each besides %.2f µs to encode them (sealing and its fold included)",
		n, wrote, float64((cpu-encoding).Nanoseconds())/float64(n)/1000, float64(encoding.Nanoseconds())/float64(n)/1000)
	t.Logf("on disk: %.1f bytes a record sealed and raw, snapshot %d bytes", float64(diskBytes(t, dir, "*.journal*"))/float64(n),
		diskBytes(t, dir, "*.snapshot"))

	began = time.Now()
	j = open(t, dir, opts)
	fold, sum, err := Load(dir, newReportFold)
	resumed := time.Since(began)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.Equal(t, n, fold.(*reportFold).Attempts)
	t.Logf("resumed in %v: %d records after the snapshot; peak memory %d MiB", resumed, sum.Records, peakMemory(t))
	require.Less(t, resumed, 5*time.Second)
	require.Less(t, peakMemory(t), 100)

	began = time.Now()
	sum, err = ReadAll(dir, nil)
	require.NoError(t, err)
	require.Equal(t, n, sum.Records)
	t.Logf("verified all %d segments in %v", sum.Segments, time.Since(began))
}

// cpuTime is what the process has used so far (getrusage(2)).
func cpuTime(t testing.TB) time.Duration {
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend measures one record of a campaign with 64 attempts in flight.
func BenchmarkAppend(b *testing.B) {
	j, err := Open(filepath.Join(b.TempDir(), "j"), Options{Campaign: "c", NewFold: newCountFold, CommitDelay: 10 * time.Millisecond})
	require.NoError(b, err)
	p := newPasses()
	data := p.record(b, 1234567)
	cpu := cpuTime(b)
	slots := make(chan struct{}, 64)
	for b.Loop() {
		slots <- struct{}{}
		j.Submit(data, func(error) { <-slots })
	}
	require.NoError(b, j.Close())
	b.ReportMetric(float64((cpuTime(b)-cpu).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
