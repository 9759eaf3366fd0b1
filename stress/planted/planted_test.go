package planted

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLateStart(t *testing.T) {
	for _, c := range []struct {
		name string
		late time.Duration
		err  error
		code int
		says string
	}{
		{"at once", 0, nil, 0, "--- PASS: TestWorkerIsRunning (0.00s)\n"},
		{"just in time", lateLimit, nil, 0, "--- PASS: TestWorkerIsRunning"},
		{"late", 7300 * time.Microsecond, nil, 1,
			"worker_test.go:21: worker is not running: it began 7.3 ms after it was created, 5ms were expected at most\nFAIL\n"},
		{"no thread", 0, errors.New("no room"), skipCode, "cannot run here: no room"},
	} {
		var out bytes.Buffer
		require.Equal(t, c.code, start(&out, func() (time.Duration, error) { return c.late, c.err }), c.name)
		require.Contains(t, out.String(), c.says, c.name)
	}
}

// TestThreadsAreMade makes many: each runs, some time after it was made, and Go goes on.
func TestThreadsAreMade(t *testing.T) {
	for range 200 {
		late, err := newThread()
		if err != nil {
			t.Skip(err)
		}
		require.Positive(t, late)
		require.NotEmpty(t, make([]byte, 1<<16))
	}
}

func TestUnknownNamesTheKnown(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, 2, Run("nothing", &out))
	require.Contains(t, out.String(), "late-start")
}
