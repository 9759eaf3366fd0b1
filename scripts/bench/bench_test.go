//go:build linux

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be the wrapper that measured starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == measureWord {
		os.Exit(measureMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// The CPU of a grandchild nobody waited for counts: it is left to the wrapper.
func TestMeasuredCountsOrphans(t *testing.T) {
	burn := `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done`
	alone, err := measured([]string{"/bin/sh", "-c", "exit 0"})
	require.NoError(t, err)
	orphan, err := measured([]string{"/bin/sh", "-c", "(" + burn + ") & exit 0"})
	require.NoError(t, err)
	require.Greater(t, orphan.CPU, 3*alone.CPU)
	require.Greater(t, orphan.CPU, 10*time.Millisecond)
}

func TestMeasuredSeesThePeakOfTheTool(t *testing.T) {
	// dd's buffer is the tool's own memory; the sleep gives the sampler time to look.
	r, err := measured([]string{"/bin/sh", "-c", "exec dd if=/dev/zero bs=40M count=200 of=/dev/null"})
	require.NoError(t, err)
	require.Greater(t, r.PeakKiB, int64(40<<10))
}

func TestMeasuredReportsAFailingTool(t *testing.T) {
	_, err := measured([]string{"/bin/sh", "-c", "echo spoilt >&2; exit 3"})
	require.ErrorContains(t, err, "exit code 3")
	require.ErrorContains(t, err, "spoilt")
	_, err = measured([]string{"/absent"})
	require.ErrorContains(t, err, "/absent")
}

func TestSummarise(t *testing.T) {
	require.Equal(t, spread{Median: 3, Low: 1, High: 9}, summarise([]float64{9, 1, 3}))
	require.Equal(t, spread{Median: 2.5, Low: 1, High: 9}, summarise([]float64{9, 1, 3, 2}))
	require.Equal(t, spread{}, summarise(nil))
}

func TestJudge(t *testing.T) {
	cells := []cell{
		{Tool: "heisen", Command: "c", Width: 2, Rounds: []figures{{Rate: 90}, {Rate: 100}, {Rate: 50}}},
		{Tool: "x/tools stress", Command: "c", Width: 2, Rounds: []figures{{Rate: 100}, {Rate: 100}, {Rate: 40}}},
	}
	all := ratios(cells)
	require.Len(t, all, 1)
	require.Equal(t, 1.0, all[0].Median)
	require.NoError(t, judge(all, 0.9))
	require.ErrorIs(t, judge(all, 1.1), errJudged)
	require.Error(t, judge(nil, 0.9), "nothing to compare is not a pass")
}

func TestMarkdownAndOptions(t *testing.T) {
	d := document{Rounds: 1, Skipped: map[string]string{"GNU parallel": "not installed"},
		Cells: []cell{{Tool: "heisen", Command: "/bin/true", Width: 64, Runs: 10, Rounds: []figures{{Rate: 1000, CPUMicros: 1500, PeakMiB: 20}}}}}
	var out bytes.Buffer
	require.NoError(t, d.markdown(&out))
	require.Contains(t, out.String(), "| `/bin/true` | 64 | heisen | 10 | 1000 [1000–1000] | 1.50 [1.50–1.50] | 20.0 [20.0–20.0] |")
	require.Contains(t, out.String(), "GNU parallel was not measured: not installed")

	_, err := parse([]string{"-widths", "2,x"})
	require.ErrorContains(t, err, `"x"`)
	_, err = parse([]string{"-rounds", "0"})
	require.Error(t, err)
	o, err := parse([]string{"-widths", "2,300"})
	require.NoError(t, err)
	require.Equal(t, []int{2, 300}, o.widths)
}

func TestShellQuote(t *testing.T) {
	require.Equal(t, `'a b' 'it'\''s'`, shellQuote([]string{"a b", "it's"}))
	require.False(t, strings.Contains(shellQuote([]string{"$x"}), `"`))
}
