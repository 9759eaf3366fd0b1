package planted

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lazy is a worker that begins when it is told to, and at the latest when it is waited for.
type lazy struct{ is, joined bool }

func (l *lazy) begun() bool { return l.is }
func (l *lazy) join()       { l.is, l.joined = true, true }

func TestWorkerFailsIfItHasNotBegun(t *testing.T) {
	for _, c := range []struct {
		name string
		wait func(started)
		code int
		says string
	}{
		{"too early", func(started) {}, 1, "worker_test.go:34: 20ms after it was made the worker has not begun"},
		{"in time", func(w started) { w.(*lazy).is = true }, 0, "--- PASS: TestWorkerHasBegun"},
		{"waited for", started.join, 0, "--- PASS"},
	} {
		var out strings.Builder
		w := &lazy{}
		require.Equal(t, c.code, look(&out, func() (started, error) { return w, nil }, c.wait), c.name)
		require.Contains(t, out.String(), c.says, c.name)
		require.True(t, w.joined, "no thread is left behind")
	}
	var out strings.Builder
	require.Equal(t, skipCode, look(&out, func() (started, error) { return nil, errors.New("no threads") }, nil))
	require.Contains(t, out.String(), "no threads")
}

// The mended test passes however slow the machine is.
func TestRealWorkerFixed(t *testing.T) {
	if _, err := newThread(); err != nil {
		t.Skip(err)
	}
	for range 200 {
		var out strings.Builder
		require.Zero(t, Run("worker-fixed", &out), out.String())
	}
}
