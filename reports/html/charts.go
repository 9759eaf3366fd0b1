package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"heisen/reports"
	"heisen/reports/history"
	"heisen/reports/human"
	"heisen/stress/starve"
	"heisen/stress/tally"
)

// The size of a chart and of its margins, in SVG's units.
const (
	chartWidth, chartHeight = 640.0, 150.0
	left, bottom, top       = 58.0, 18.0, 8.0
)

// chart is a picture and its words. The SVG is made of numbers and of texts of our own alone.
type chart struct {
	Title, Note string
	SVG         template.HTML
}

// The failure rate is drawn for at most so many stretches of time, of about so many attempts at least: of fewer, an
// interval says next to nothing.
const (
	mostWindows  = 48
	perWindow    = 25
	leastWindows = 6
)

func charts(p Page) []chart {
	var list []chart
	if h := p.History; h != nil && len(h.Bins) > 0 {
		list = append(list, rateChart(p.Report, h), durationChart(h))
	}
	if c, ok := growthChart(p.Report.Interleavings); ok {
		list = append(list, c)
	}
	return append(list, machineCharts(p)...)
}

// canvas collects SVG.
type canvas struct {
	b    strings.Builder
	most float64 // the value at the top
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

func x(share float64) float64 { return left + share*(chartWidth-left-4) }

func (c *canvas) y(v float64) float64 {
	return chartHeight - bottom - v/c.most*(chartHeight-bottom-top)
}

// frame draws the axes with three labels each.
func (c *canvas) frame(label func(float64) string, from, to string) {
	for _, v := range []float64{0, c.most / 2, c.most} {
		c.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, chartWidth-4, c.y(v), c.y(v))
		c.add(`<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-4, c.y(v)+4, template.HTMLEscapeString(label(v)))
	}
	c.add(`<text x="%.1f" y="%.1f">%s</text>`, left, chartHeight-4, template.HTMLEscapeString(from))
	c.add(`<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, chartWidth-4, chartHeight-4, template.HTMLEscapeString(to))
}

func (c *canvas) svg(name string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg>`, chartWidth, chartHeight,
		template.HTMLEscapeString(name), c.b.String()))
}

func percent(v float64) string { return human.Percent(v) + " %" }

// rateChart is the failure rate of the attempts that were left alone, with its interval in each stretch of time.
func rateChart(r reports.Report, h *history.History) chart {
	bins, width := h.Windows(int(min(max(r.Rate.Attempts/perWindow, leastWindows), mostWindows)))
	rates, c := make([]reports.Rate, len(bins)), canvas{most: 0.01}
	for i, b := range bins {
		rates[i] = reports.RateOf(tally.Counts{ByOutcome: b.Plain.ByOutcome})
		if rates[i].Attempts > 0 {
			c.most = max(c.most, min(1, rates[i].High))
		}
	}
	c.frame(percent, "start", human.Elapsed(time.Duration(len(bins))*width))
	per := 1 / float64(len(bins))
	for i, rate := range rates {
		if rate.Attempts == 0 {
			continue // nothing ran that counts: no point, not a zero
		}
		from, to := x(float64(i)*per), x(float64(i+1)*per)
		c.add(`<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%d of %d failed, %s %%</title></rect>`, from, c.y(rate.High), to-from,
			c.y(rate.Low)-c.y(rate.High), rate.Failures, rate.Attempts, human.Range(rate.Low, rate.High))
		c.add(`<line class="fail" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, from, to, c.y(*rate.Share), c.y(*rate.Share))
	}
	if r.Rate.Share != nil {
		c.add(`<line class="all" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, left, chartWidth-4, c.y(*r.Rate.Share), c.y(*r.Rate.Share))
	}
	c.ticks(h)
	return chart{"Failure rate over time", "attempts that were left alone, 95 % intervals of each stretch; dashed: the whole; ticks: every failing attempt", c.svg("failure rate over time")}
}

// ticks marks the stretches in which attempts failed, on the lower edge.
func (c *canvas) ticks(h *history.History) {
	for i, b := range h.Bins {
		if b.Failed > 0 {
			at := x((float64(i) + 0.5) / float64(len(h.Bins)))
			c.add(`<line class="tick" data-bin="%d" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, i, at, at, chartHeight-bottom, chartHeight-bottom+5)
		}
	}
}

// durationChart is how long attempts took, on a logarithmic scale; each side is scaled to its own most frequent class.
func durationChart(h *history.History) chart {
	first, last := history.DurationBins, 0
	var most [2]int64
	for i := range h.Pass {
		if h.Pass[i]+h.Fail[i] > 0 {
			first, last = min(first, i), max(last, i)
		}
		most[0], most[1] = max(most[0], h.Pass[i]), max(most[1], h.Fail[i])
	}
	c := canvas{most: 1}
	if first > last {
		c.frame(percent, "", "")
		return chart{"Durations", "no attempt that was left alone has finished", c.svg("durations")}
	}
	c.frame(func(float64) string { return "" }, human.Duration(history.DurationFrom(first)), human.Duration(history.DurationFrom(last+1)))
	per := 1 / float64(last-first+1)
	for i := first; i <= last; i++ {
		for side, n := range []int64{h.Pass[i], h.Fail[i]} {
			if n == 0 {
				continue
			}
			half := (x(per) - x(0)) / 2
			v := float64(n) / float64(most[side])
			c.add(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%d from %s</title></rect>`, []string{"passbar", "failbar"}[side],
				x(float64(i-first)*per)+float64(side)*half, c.y(v), max(half-0.5, 0.5), c.y(0)-c.y(v), n, human.Duration(history.DurationFrom(i)))
		}
	}
	return chart{"Durations by outcome", "blue passed, red failed; each side to its own height, logarithmic, attempts that were left alone", c.svg("durations by outcome")}
}

// machineCharts are the machine's pressure, load and steal, with failures as ticks.
func machineCharts(p Page) []chart {
	if len(p.Machine) < 2 {
		return nil
	}
	var list []chart
	for i, m := range starve.Metrics() {
		switch m.Name {
		case "psi_cpu_some", "psi_memory_some", "psi_io_some", "load1", "steal":
			if c, ok := machineChart(p, i, m); ok {
				list = append(list, c)
			}
		}
	}
	return list
}

func machineChart(p Page, column int, m starve.Metric) (chart, bool) {
	start, end := p.Machine[0].Start, p.Machine[len(p.Machine)-1].Last
	span := end.Sub(start).Seconds()
	c, n := canvas{}, 0
	for _, pt := range p.Machine {
		if s := pt.Stats[column]; s.N > 0 {
			c.most, n = max(c.most, s.Max), n+1
		}
	}
	if n < 2 || span <= 0 {
		return chart{}, false
	}
	c.most = max(c.most, 0.001)
	label := func(v float64) string { return fmt.Sprintf("%.3g", v) }
	if m.Unit == "share" {
		label = percent
	}
	c.frame(label, "start", human.Elapsed(end.Sub(start)))
	var path strings.Builder
	for _, pt := range p.Machine {
		if s := pt.Stats[column]; s.N > 0 {
			at := x(pt.Start.Sub(start).Seconds() / span)
			fmt.Fprintf(&path, "%.1f,%.1f ", at, c.y(s.Mean))
			if s.Max > s.Mean {
				c.add(`<line class="band" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, at, at, c.y(s.Min), c.y(s.Max))
			}
		}
	}
	c.add(`<polyline class="line" points="%s"/>`, path.String())
	if h := p.History; h != nil {
		for i, b := range h.Bins {
			at := h.Start.Add(time.Duration(i)*h.Width).Sub(start).Seconds() / span
			if b.Failed > 0 && at >= 0 && at <= 1 {
				c.add(`<line class="tick" data-bin="%d" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, i, x(at), x(at), chartHeight-bottom, chartHeight-bottom+5)
			}
		}
	}
	return chart{"Machine: " + m.Name, m.Text + " (" + m.Unit + "); ticks: failing attempts", c.svg(m.Name)}, true
}

// strategyRow is a strategy with its interval as a picture, all on one scale.
type strategyRow struct {
	reports.Strategy
	// Value is what the filter knows it by: "" for what was left alone.
	Value string
	Bar   template.HTML
}

func strategies(c *reports.Chaos) []strategyRow {
	if c == nil {
		return nil
	}
	var list []reports.Strategy
	if c.Plain != nil {
		list = append(list, *c.Plain)
	}
	list = append(list, c.Strategies...)
	most := 0.01
	for _, s := range list {
		if s.Rate.Attempts > 0 {
			most = math.Max(most, s.Rate.High)
		}
	}
	var rows []strategyRow
	for i, s := range list {
		row := strategyRow{Strategy: s, Value: clean(s.Name)}
		if c.Plain != nil && i == 0 {
			row.Value = ""
		}
		if s.Rate.Share != nil {
			row.Bar = template.HTML(fmt.Sprintf(`<svg class="interval" viewBox="0 0 200 12" aria-hidden="true"><rect class="band" x="%.1f" y="3" width="%.1f" height="6"/><circle class="dot" cx="%.1f" cy="6" r="3"/></svg>`,
				196*s.Rate.Low/most+2, 196*(s.Rate.High-s.Rate.Low)/most, 196**s.Rate.Share/most+2))
		}
		rows = append(rows, row)
	}
	return rows
}
