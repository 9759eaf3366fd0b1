package planted

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// number is a source of randomness that gives one number.
func number(n uint64) *bytes.Reader { return bytes.NewReader(binary.LittleEndian.AppendUint64(nil, n)) }

func TestDrawIsOneInTen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "number")
		hit, err := draw(number(n))
		if err != nil || hit != (n%10 == 0) {
			t.Fatalf("%d: %v, %v", n, hit, err)
		}
	})
	hits := 0
	for n := range uint64(1000) {
		if hit, _ := draw(number(n)); hit {
			hits++
		}
	}
	require.Equal(t, 100, hits)
}

func TestCoin(t *testing.T) {
	var out strings.Builder
	require.Equal(t, 0, flip(&out, number(11)))
	require.Equal(t, "=== RUN   TestOrderOfKeys\n--- PASS: TestOrderOfKeys (0.00s)\n", out.String())
	out.Reset()
	require.Equal(t, 1, flip(&out, number(20)))
	require.Equal(t, "=== RUN   TestOrderOfKeys\n--- FAIL: TestOrderOfKeys (0.00s)\n    keys_test.go:17: keys = [b a], want [a b]\nFAIL\n", out.String())
	out.Reset()
	require.Equal(t, skipCode, flip(&out, iotest.ErrReader(errors.New("no entropy"))), "no verdict")
	require.Contains(t, out.String(), "no entropy")
}

// TestRealCoin: both sides come up. The chance that one does not in a thousand throws is below 1e-45.
func TestRealCoin(t *testing.T) {
	count := map[int]int{}
	for range 1000 {
		var out strings.Builder
		count[Run("coin", &out)]++
	}
	require.Len(t, count, 2)
	require.NotZero(t, count[0])
	require.NotZero(t, count[1])
}

// ticks is a CPU clock whose readings are given.
func ticks(readings ...time.Duration) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		if len(readings) == 0 {
			return 0, errors.New("no clock")
		}
		now := readings[0]
		readings = readings[1:]
		return now, nil
	}
}

func TestSlowByTheClock(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		clock func() (time.Duration, error)
		code  int
		says  string
	}{
		{"quick", ticks(5*ms, 7*ms, 7*ms), 0, "--- PASS: TestSortIsQuick"},
		{"just in time", ticks(0, 2*ms, 10*ms), 0, "--- PASS"},
		{"twenty times", ticks(0, 2*ms, 40*ms), 1, "sort_test.go:33: sorting took 40.0 ms of CPU time, at most 10.0 ms were expected"},
		{"no clock", ticks(), skipCode, "no clock"},
		{"no clock any more", ticks(1), skipCode, "no clock"},
		{"no clock at the end", ticks(1, 2), skipCode, "no clock"},
	} {
		var out strings.Builder
		require.Equal(t, c.code, crawl(&out, number(1), c.clock), c.name)
		require.Contains(t, out.String(), c.says, c.name)
	}
}

// TestSlowFailsByItsWorkAlone has it wait for a long time after every reading of its CPU clock, as on a machine
// that gives it no CPU: it still passes without the extra work, and fails with it.
func TestSlowFailsByItsWorkAlone(t *testing.T) {
	starved := func() (time.Duration, error) {
		now, err := cpuTime()
		time.Sleep(50 * time.Millisecond)
		return now, err
	}
	if _, err := cpuTime(); err != nil {
		t.Skip(err)
	}
	var out strings.Builder
	require.Equal(t, 0, crawl(&out, number(1), starved), out.String())
	require.Equal(t, 1, crawl(&out, number(10), starved), out.String())
}
