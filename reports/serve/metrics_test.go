package serve

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
	"heisen/stress/run"
	"heisen/stress/starve"
)

// series lists the names and labels of what /metrics says, without the values.
func series(text string) (names []string) {
	for _, line := range strings.Split(text, "\n") {
		if line != "" && line[0] != '#' {
			names = append(names, line[:strings.LastIndex(line, " ")])
		}
	}
	return names
}

// named is a campaign whose failures have so many names, outputs and bundles.
func named(n int) []run.Event {
	events := []run.Event{recorded.Rare()[0]}
	for i := range n {
		name := fmt.Sprintf("Test%dCanary{label=\"x\"}\n", i)
		events = append(events, run.Finished{Seq: int64(i + 1), Try: 1, At: recorded.Start, Outcome: run.Fail, Wall: 1000,
			Filed: &run.Filed{Signature: fmt.Sprintf("%08x", i), Title: name, Bundle: "bundles/" + name}})
	}
	return events
}

// scraped waits for the figures and gives what Prometheus would read.
func scraped(t *testing.T, s *Server, attempts int) string {
	t.Helper()
	var text string
	require.Eventually(t, func() bool {
		code, body, _ := get(t, client(t), s.at("/metrics"))
		text = body
		return code == http.StatusOK && strings.Contains(body, fmt.Sprintf("heisen_attempts_total{outcome=\"fail\"} %d\n", attempts))
	}, patience, 10*time.Millisecond)
	return text
}

func TestFault56TestNamesAreNoLabels(t *testing.T) {
	one, _ := serving(t, quick(), Config{}, named(1)...)
	many, _ := serving(t, quick(), Config{}, named(10_000)...)
	few, lots := scraped(t, one, 1), scraped(t, many, 10_000)
	require.Equal(t, series(few), series(lots))
	require.NotContains(t, lots, "Canary")

	// Control: a label with the test's name makes a series of each.
	naive := func(n int) string {
		registry := prometheus.NewRegistry()
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "failures_total"}, []string{"test"})
		registry.MustRegister(vec)
		for _, e := range named(n)[1:] {
			vec.WithLabelValues(e.(run.Finished).Filed.Title).Inc()
		}
		_, body, _ := get(t, client(t), "http://"+open(t, promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
		return body
	}
	require.NotEqual(t, series(naive(1)), series(naive(10_000)))
}

// What was not measured is absent; what was is the figure of the report.
func TestMetricsAreTheReportsFigures(t *testing.T) {
	s, e := serving(t, quick(), Config{}, recorded.Clean()[:1]...)
	require.Eventually(t, func() bool { return s.figures.Load() != nil }, patience, time.Millisecond)
	_, text, _ := get(t, client(t), s.at("/metrics"))
	require.Contains(t, text, "heisen_plain_judged 0\n")
	for _, absent := range []string{"heisen_failure_ratio", "heisen_duration_seconds", "heisen_machine_load1", "heisen_disturbed_judged"} {
		require.NotContains(t, text, absent, "nothing was judged, measured or disturbed")
	}

	e.add(recorded.Rare()...)
	text = scraped(t, s, 2)
	require.Contains(t, text, "heisen_attempts_total{outcome=\"crash\"} 1\n")
	require.Contains(t, text, "heisen_plain_failures 3\n")
	require.Contains(t, text, "heisen_plain_judged 5000\n")
	require.Contains(t, text, "heisen_failure_ratio 0.0006\n")
	require.Contains(t, text, "heisen_failure_kinds 2\n")
	require.Contains(t, text, `heisen_state{state="running"} 1`)
}

// Every metric of the example board exists, and every metric of ours is explained by its help.
func TestTheExampleBoardAsksForMetricsThereAre(t *testing.T) {
	known := map[string]bool{}
	c := newCollector(&Server{cfg: Config{Machine: func() []starve.Point { return nil }}})
	all := make(chan *prometheus.Desc, 100)
	c.Describe(all)
	close(all)
	for d := range all {
		m := regexp.MustCompile(`fqName: "(\w+)", help: "(.*?)", const`).FindStringSubmatch(d.String())
		require.NotNil(t, m, d.String())
		require.NotEmpty(t, m[2])
		known[m[1]] = true
	}
	board, err := os.ReadFile("../../scripts/dashboard/grafana.json")
	require.NoError(t, err)
	asked := regexp.MustCompile(`heisen_\w+`).FindAllString(string(board), -1)
	slices.Sort(asked)
	asked = slices.Compact(asked)
	require.Greater(t, len(asked), 10)
	for _, name := range asked {
		require.True(t, known[name], name)
	}
}
