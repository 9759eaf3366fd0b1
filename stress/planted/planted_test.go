package planted

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLateStartSaysWhatItMeasured(t *testing.T) {
	var out bytes.Buffer
	code := Run("late-start", &out)
	require.Contains(t, out.String(), "worker created")
	if code == 0 {
		require.Contains(t, out.String(), "--- PASS: TestWorkerIsRunning")
	} else {
		require.Equal(t, 1, code)
		require.Contains(t, out.String(), "worker is not running")
	}
}

func TestUnknownNamesTheKnown(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, 2, Run("nothing", &out))
	require.Contains(t, out.String(), "late-start")
}
