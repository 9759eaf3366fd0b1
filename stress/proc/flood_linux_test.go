package proc

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// floodSize is small where the full size is not asked for.
func floodSize(small, full int) int {
	if os.Getenv("HEISEN_SLOW_TESTS") != "" {
		return full
	}
	return small
}

// flat is how much may be allocated for an attempt that floods, whatever the size of the flood: its tape of
// 64 KiB, buffers, and what the supervisor needs.
const flat = 8 << 20

// flooded runs a flood of size bytes and returns what was allocated meanwhile, collected or not: memory is
// flat, and so is the work of the collector.
func flooded(t *testing.T, size int, keep int64) (r run.Result, allocated uint64) {
	t.Helper()
	cfg := sh(t, switches{}, fmt.Sprintf("echo first; yes 0123456 | head -c %d; echo last", size))
	cfg.Spec.Keep.OutputBytes = keep
	s := open(t, cfg)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := attempt(1)
	a.Timeout = 10 * time.Minute
	r = s.Run(a, nil)
	runtime.ReadMemStats(&after)
	require.Equal(t, run.Ending{}, r.Ending)
	require.EqualValues(t, size+len("first\nlast\n"), r.Evidence.Output.Total)
	return r, after.TotalAlloc - before.TotalAlloc
}

func TestFault24OutputFlood(t *testing.T) {
	const keep = 64 << 10
	r, allocated := flooded(t, floodSize(32<<20, 10<<30), keep)
	kept := text(r)
	require.Len(t, kept, keep)
	require.EqualValues(t, r.Evidence.Output.Total-keep, r.Evidence.Output.Omitted)
	require.True(t, strings.HasPrefix(kept, "first\n0123456\n"))
	require.True(t, strings.HasSuffix(kept, "0123456\nlast\n"))
	require.Less(t, allocated, uint64(flat))
}

// TestFault24Control lets the tape keep everything: the same check of memory fails.
func TestFault24Control(t *testing.T) {
	r, allocated := flooded(t, 32<<20, 128<<20)
	require.Zero(t, r.Evidence.Output.Omitted)
	require.Greater(t, allocated, uint64(flat))
}

func TestFault24AlternatingFlood(t *testing.T) {
	r := once(t, helper(t, switches{}, "alternate", "20000"))
	require.EqualValues(t, 20000, r.Evidence.Output.Total)
	require.LessOrEqual(t, len(r.Evidence.Output.Head)+len(r.Evidence.Output.Tail), 2*(32<<10/chunkCost+2))
}

func hugeLine(size int) string { return fmt.Sprintf(`head -c %d /dev/zero | tr '\0' x`, size) }

func TestFault25HugeLine(t *testing.T) {
	size := floodSize(20<<20, 300<<20)
	r := once(t, sh(t, switches{}, hugeLine(size)))
	require.Equal(t, run.Ending{}, r.Ending)
	require.EqualValues(t, size, r.Evidence.Output.Total)
	require.Len(t, text(r), 64<<10)
}

// TestFault25ControlReaderOfLines does it with a reader of lines: it gives up at the length it has room for,
// and the test then hangs in its write for ever.
func TestFault25ControlReaderOfLines(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", hugeLine(1<<20))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.False(t, lines.Scan())
	require.ErrorIs(t, lines.Err(), bufio.ErrTooLong)
	ended := make(chan struct{})
	go func() {
		_, _ = cmd.Process.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		t.Fatal("it ended although nobody reads on")
	case <-time.After(4 * drainLimit):
	}
	require.NoError(t, out.Close())
	<-ended
}

func TestFault26BinaryOutput(t *testing.T) {
	cfg := sh(t, switches{}, `head -c 1048576 /dev/urandom | tee copy`)
	cfg.Spec.Command.Dir = t.TempDir()
	cfg.Spec.Keep.OutputBytes = 4 << 20
	r := once(t, cfg)
	want, err := os.ReadFile(filepath.Join(cfg.Spec.Command.Dir, "copy"))
	require.NoError(t, err)
	got := r.Evidence.Output.Bytes()
	require.Equal(t, sha256.Sum256(want), sha256.Sum256(got))
	require.Zero(t, r.Evidence.Output.Omitted)
	// Control: these bytes do not survive being read as text.
	require.NotEqual(t, sha256.Sum256(want), sha256.Sum256(bytes.ToValidUTF8(got, []byte("\uFFFD"))))
	require.NotEqual(t, len(want), len(bytes.Join(textLines(got), []byte("\n"))))
}

// textLines splits as a reader of text does, which takes a carriage return for a part of the line's end.
func textLines(data []byte) (lines [][]byte) {
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, len(data)+1)
	for scan.Scan() {
		lines = append(lines, bytes.Clone(scan.Bytes()))
	}
	return lines
}
