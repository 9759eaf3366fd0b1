package tally

import (
	"encoding/json"
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"heisen/stress/contrast"
	"heisen/stress/run"
)

// Wall times are kept in microseconds up to a week, to three digits: about 200 KB a histogram, whatever
// the number of attempts.
const (
	longestWall = int64(7 * 24 * time.Hour / time.Microsecond)
	digits      = 3
)

// durations holds the wall times of attempts that ran to an end of their own.
type durations struct {
	pass, fail *hdr.Histogram
}

func newDurations() durations {
	return durations{pass: hdr.New(1, longestWall, digits), fail: hdr.New(1, longestWall, digits)}
}

func (d durations) add(e run.Finished) {
	into := d.pass
	switch {
	case e.Outcome.Failed():
		into = d.fail
	case e.Outcome != run.Pass:
		return
	}
	// Clamped, so that RecordValue cannot refuse: a clock's odd answer must not lose the count.
	_ = into.RecordValue(min(max(e.Wall, 1), longestWall))
}

// Quantiles is a summary of wall times.
type Quantiles struct {
	Count              int64
	P50, P90, P99, Max time.Duration
}

func quantiles(h *hdr.Histogram) Quantiles {
	at := func(q float64) time.Duration { return time.Duration(h.ValueAtQuantile(q)) * time.Microsecond }
	return Quantiles{Count: h.TotalCount(), P50: at(50), P90: at(90), P99: at(99),
		Max: time.Duration(h.Max()) * time.Microsecond}
}

// PassesTimed is PassTimes().Count, which costs nothing; all of PassTimes reads through a histogram.
func (t *Tally) PassesTimed() int64 { return t.times.pass.TotalCount() }

// PassTimes and FailTimes summarise the wall times of passing and of failing attempts.
func (t *Tally) PassTimes() Quantiles { return quantiles(t.times.pass) }
func (t *Tally) FailTimes() Quantiles { return quantiles(t.times.fail) }

// snapshotVersion is raised when a snapshot of before could be misread.
const snapshotVersion = 1

// snapshot is a tally on disk: the state, and the histograms in the compressed HDR encoding.
type snapshot struct {
	Version int    `json:"version"`
	State   state  `json:"state"`
	Pass    string `json:"pass_times"`
	Fail    string `json:"fail_times"`
	// Contrast and Census are absent in a snapshot of before they were kept.
	Contrast *contrast.Sample `json:"contrast,omitempty"`
	Census   *Census          `json:"census,omitempty"`
}

// Snapshot encodes the tally so that Load gives the same figures.
func (t *Tally) Snapshot() ([]byte, error) {
	pass, err := t.times.pass.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode pass times: %w", err)
	}
	fail, err := t.times.fail.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode fail times: %w", err)
	}
	return json.Marshal(snapshot{Version: snapshotVersion, State: t.s, Pass: string(pass), Fail: string(fail), Contrast: t.contrast, Census: t.census})
}

// Load decodes a snapshot; no bytes at all give an empty tally.
func Load(data []byte) (*Tally, error) {
	if len(data) == 0 {
		return New(), nil
	}
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return nil, fmt.Errorf("read snapshot of the tally: %w", err)
	}
	if snap.Version != snapshotVersion {
		return nil, fmt.Errorf("read snapshot of the tally: version %d, this heisen knows %d", snap.Version, snapshotVersion)
	}
	t := &Tally{s: snap.State, times: newDurations(), contrast: snap.Contrast, census: snap.Census}
	if t.census == nil {
		t.census = &Census{}
	}
	if t.contrast == nil {
		t.contrast = contrast.New()
	}
	for _, h := range []struct {
		text string
		into *hdr.Histogram
	}{{snap.Pass, t.times.pass}, {snap.Fail, t.times.fail}} {
		decoded, err := hdr.Decode([]byte(h.text))
		if err != nil {
			return nil, fmt.Errorf("read histogram of the tally: %w", err)
		}
		h.into.Merge(decoded)
	}
	return t, nil
}
