package starve

import (
	"fmt"
	"io"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// nanosPerMilli makes the readable figures of the logs milliseconds, which plotters expect.
const nanosPerMilli = 1e6

// WriteLogHeader begins a histogram log of format 1.3: times in it are seconds since 1970, so that logs of
// several sessions can be put together. The grammar is that of HistogramLogScanner in the Java HdrHistogram.
func WriteLogHeader(w io.Writer, start time.Time) error {
	lw := hdr.NewHistogramLogWriter(w)
	steps := []func() error{
		func() error { return lw.OutputComment("[Timings of heisen: values are nanoseconds]") },
		lw.OutputLogFormatVersion,
		func() error { return lw.OutputStartTime(start.UnixMilli()) },
		// Given outright, because a reader must otherwise guess whether times are absolute.
		func() error { return lw.OutputBaseTime(0) },
		lw.OutputLegend,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("write histogram log: %w", err)
		}
	}
	return nil
}

// AppendLog writes what was counted between two times as one tagged interval per histogram, in the order
// of their keys. Timings of consecutive intervals make a log that shows change over time.
func (t *Timings) AppendLog(w io.Writer, from, to time.Time) error {
	lw := hdr.NewHistogramLogWriter(w)
	for _, k := range t.Keys() {
		h := t.Histogram(k)
		h.SetTag(k.String())
		h.SetStartTimeMs(from.UnixMilli())
		h.SetEndTimeMs(to.UnixMilli())
		if err := lw.OutputIntervalHistogram(h); err != nil {
			return fmt.Errorf("write histogram log of %s: %w", k, err)
		}
	}
	return nil
}

// WritePercentiles writes one histogram as percentile text (.hgrm), in milliseconds.
func (t *Timings) WritePercentiles(w io.Writer, k TimingKey) error {
	h := t.Histogram(k)
	if h == nil {
		return fmt.Errorf("write percentiles: there are no timings %s", k)
	}
	if _, err := h.PercentilesPrint(w, 5, nanosPerMilli); err != nil {
		return fmt.Errorf("write percentiles of %s: %w", k, err)
	}
	return nil
}

// tagSafe replaces what would end a tag or make it unreadable.
func tagSafe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".:=_-", r):
			return r
		}
		return '_'
	}, text)
}
