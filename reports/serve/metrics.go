package serve

import (
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"heisen/reports"
	"heisen/stress/run"
	"heisen/stress/starve"
)

// metrics serves the latest figures to Prometheus. Every label has a fixed set of values; nothing that a test can name
// is one. What was not measured is absent, not zero.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(newCollector(s))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, DisableCompression: true})
}

// collector turns figures into metrics when it is asked.
type collector struct {
	server  *Server
	machine []*prometheus.Desc // by column of the machine's series
}

func newCollector(s *Server) *collector {
	c := &collector{server: s}
	for _, m := range starve.Metrics() {
		c.machine = append(c.machine, prometheus.NewDesc("heisen_machine_"+m.Name+units[m.Unit], m.Text+" ("+m.Unit+")", nil, nil))
	}
	return c
}

// units are how Prometheus ends the names of metrics.
var units = map[string]string{"share": "_ratio", "bytes": "_bytes", "1/s": "_per_second"}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("heisen_"+name, help, labels, nil)
}

var (
	descInfo      = desc("info", "Always 1: the version of heisen, and what the campaign is", "version", "kind")
	descState     = desc("state", "1 for what the campaign is doing now, 0 for the others", "state")
	descAttempts  = desc("attempts_total", "Finished attempts, by outcome", "outcome")
	descRetries   = desc("retries_total", "Tries that did not count, by outcome", "outcome")
	descLeaked    = desc("leaked_attempts_total", "Attempts that left processes behind")
	descFaults    = desc("machine_faults_total", "Times that the machine was out of something")
	descRunning   = desc("running_attempts", "Attempts in flight")
	descWidth     = desc("width_attempts", "Attempts in flight at most")
	descElapsed   = desc("elapsed_seconds", "How long all sessions ran, pauses not counted")
	descTimeout   = desc("timeout_seconds", "How long an attempt that starts now may take")
	descKinds     = desc("failure_kinds", "Kinds of failure that are listed")
	descFailed    = desc("plain_failures", "Failures among the attempts that were left alone, of the latest epoch")
	descJudged    = desc("plain_judged", "Attempts that were left alone and passed or failed, of the latest epoch")
	descShare     = desc("failure_ratio", "plain_failures by plain_judged")
	descBound     = desc("failure_ratio_bound", "Clopper-Pearson bounds of failure_ratio, 95 %", "bound")
	descChaosFail = desc("disturbed_failures", "Failures among the attempts disturbed on purpose, of the latest epoch")
	descChaos     = desc("disturbed_judged", "Attempts disturbed on purpose that passed or failed, of the latest epoch")
	descWall      = desc("duration_seconds", "Wall time of finished attempts: a quantile, or the longest", "result", "at")
	descViewers   = desc("dashboard_viewers", "Pages that are kept up to date now")
	descDropped   = desc("dashboard_dropped_total", "Attempts that the pictures over time miss")
)

var descs = []*prometheus.Desc{descInfo, descState, descAttempts, descRetries, descLeaked, descFaults, descRunning, descWidth,
	descElapsed, descTimeout, descKinds, descFailed, descJudged, descShare, descBound, descChaosFail, descChaos, descWall,
	descViewers, descDropped}

// Describe lists every metric there can be.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range slices.Concat(c.machine, descs) {
		out <- d
	}
}

// Collect hands out the latest figures. The library calls it in a goroutine of its own, where nobody else would catch a
// panic.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	if err := safely(func() error { c.collect(out); return nil }); err != nil {
		out <- prometheus.NewInvalidMetric(descInfo, err)
	}
}

// collect hands out, before the first look, only what is of the dashboard itself.
func (c *collector) collect(m sender) {
	s := c.server
	m.gauge(descViewers, float64(s.viewers.Load()))
	m.counter(descDropped, float64(s.fold.dropped.Load()))
	f := s.figures.Load()
	if f == nil {
		return
	}
	m.gauge(descInfo, 1, f.report.Version, s.cfg.Kind)
	m.state(f)
	m.counts(f.report)
	m.gauge(descRunning, float64(len(f.progress.Running)))
	m.gauge(descTimeout, f.progress.Timeout.Seconds())
	m.rate(f.report)
	m.durations("pass", f.report.Durations.Pass)
	m.durations("fail", f.report.Durations.Fail)
	c.series(m)
}

// sender hands metrics out.
type sender chan<- prometheus.Metric

func (m sender) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (m sender) counter(d *prometheus.Desc, v float64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (m sender) state(f *figures) {
	now := "running"
	switch p := f.progress; {
	case f.over:
		now = "ended"
	case p.Stopping != "":
		now = "stopping"
	case p.Paused:
		now = "paused"
	case p.Waiting != "":
		now = "waiting"
	}
	for _, state := range []string{"running", "paused", "waiting", "stopping", "ended"} {
		v := 0.0
		if state == now {
			v = 1
		}
		m.gauge(descState, v, state)
	}
}

func (m sender) counts(r reports.Report) {
	for _, o := range run.Outcomes() {
		m.counter(descAttempts, float64(r.Attempts.ByOutcome[o]), o.String())
		m.counter(descRetries, float64(r.Retries[o]), o.String())
	}
	var faults int64
	for _, n := range r.MachineFaults {
		faults += n
	}
	m.counter(descFaults, float64(faults))
	m.counter(descLeaked, float64(r.Attempts.Leaked))
	m.gauge(descWidth, float64(r.Width))
	m.gauge(descElapsed, r.Elapsed.Duration().Seconds())
	m.gauge(descKinds, float64(len(r.Signatures)))
}

func (m sender) rate(r reports.Report) {
	m.gauge(descFailed, float64(r.Rate.Failures))
	m.gauge(descJudged, float64(r.Rate.Attempts))
	if r.Rate.Share != nil {
		m.gauge(descShare, *r.Rate.Share)
		m.gauge(descBound, r.Rate.Low, "low")
		m.gauge(descBound, r.Rate.High, "high")
	}
	if r.Chaos != nil {
		failures, attempts := r.Chaos.Disturbed()
		m.gauge(descChaosFail, float64(failures))
		m.gauge(descChaos, float64(attempts))
	}
}

func (m sender) durations(result string, q *reports.Quantiles) {
	if q == nil {
		return
	}
	for at, v := range map[string]reports.Seconds{"p50": q.P50, "p90": q.P90, "p99": q.P99, "max": q.Max} {
		m.gauge(descWall, v.Duration().Seconds(), result, at)
	}
}

// series is the newest reading of the machine's.
func (c *collector) series(m sender) {
	if c.server.cfg.Machine == nil {
		return
	}
	points := c.server.cfg.Machine()
	if len(points) == 0 {
		return
	}
	for i, stat := range points[len(points)-1].Stats {
		if stat.N > 0 && i < len(c.machine) {
			m.gauge(c.machine[i], stat.Mean)
		}
	}
}
