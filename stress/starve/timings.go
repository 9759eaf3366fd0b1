package starve

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"heisen/stress/run"
)

// What a timing measures. A gap between two events of an attempt is GapKind.
const (
	KindDuration     = "duration"      // start to end of the attempt
	KindStartExec    = "start_exec"    // spawn to the return of execve
	KindFirstOutput  = "first_output"  // spawn to the first byte of output
	KindThreadStart  = "thread_start"  // a thread's creation to its first moment on a CPU
	KindLongestStall = "longest_stall" // longest single wait for a CPU
	KindStop         = "stop"          // first signal of heisen's to the end of the attempt
)

// GapKind is the kind of timing between two named events.
func GapKind(from, to string) string { return "gap:" + from + ".." + to }

// TimingKey names one histogram: what was timed, and of which attempts. Group is "outcome=fail",
// "signature=ID", or "other" for what the bound on keys left no room for.
type TimingKey struct {
	Kind  string `json:"kind"`
	Group string `json:"group"`
}

// String is the key as it stands in a log's tag: letters, digits and ".:=_-/" only, because a tag ends at
// the first blank or comma.
func (k TimingKey) String() string { return tagSafe(k.Kind) + "/" + tagSafe(k.Group) }

// OutcomeGroup and SignatureGroup name the groups an attempt belongs to.
func OutcomeGroup(o run.Outcome) string { return "outcome=" + string(o) }
func SignatureGroup(id string) string   { return "signature=" + id }

const otherGroup = "other"

// Histograms hold nanoseconds from a microsecond to a week with two significant digits: about 30 KB each
// in memory, some hundred bytes encoded.
const (
	timingLeast  = int64(time.Microsecond)
	timingMost   = int64(7 * 24 * time.Hour)
	timingDigits = 2
)

// maxTimings bounds the histograms of one Timings, and so its memory to about 8 MB.
const maxTimings = 256

// Timings are histograms of how long things took, by outcome and by signature. They are safe for
// concurrent use, which a histogram itself is not.
type Timings struct {
	mu    sync.Mutex
	hists map[TimingKey]*hdr.Histogram
	most  int
}

// NewTimings returns Timings without any.
func NewTimings() *Timings {
	return &Timings{hists: map[TimingKey]*hdr.Histogram{}, most: maxTimings}
}

// Record counts one timing of an attempt under its outcome and, if it has one, its signature.
func (t *Timings) Record(kind string, outcome run.Outcome, signature string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.record(TimingKey{kind, OutcomeGroup(outcome)}, d)
	if signature != "" {
		t.record(TimingKey{kind, SignatureGroup(signature)}, d)
	}
}

func (t *Timings) record(k TimingKey, d time.Duration) {
	// Clamped, so that RecordValue cannot refuse: an odd figure must not lose the count.
	_ = t.histogram(k).RecordValue(min(max(d.Nanoseconds(), timingLeast), timingMost))
}

// histogram finds or makes a key's histogram; beyond the bound a key is counted among the others of its
// kind, and new kinds together.
func (t *Timings) histogram(k TimingKey) *hdr.Histogram {
	if h := t.hists[k]; h != nil {
		return h
	}
	if len(t.hists) >= t.most {
		k.Group = otherGroup
		if t.hists[k] == nil && len(t.hists) >= 2*t.most {
			k.Kind = otherGroup
		}
		if h := t.hists[k]; h != nil {
			return h
		}
	}
	h := hdr.New(timingLeast, timingMost, timingDigits)
	t.hists[k] = h
	return h
}

// signalKinds are the timings that are among an attempt's signals.
var signalKinds = map[string]string{
	run.SigThreadStart: KindThreadStart, run.SigLongestStall: KindLongestStall,
	run.SigFirstOutput: KindFirstOutput, run.SigStop: KindStop,
}

// RecordFinished counts what a finished attempt's record tells: its duration and, of its signals, those
// that are times of one event or gaps between two.
func (t *Timings) RecordFinished(f run.Finished) {
	signature := ""
	if f.Filed != nil {
		signature = f.Filed.Signature
	}
	t.Record(KindDuration, f.Outcome, signature, time.Duration(f.Wall)*time.Microsecond)
	for name, v := range f.Signals {
		kind, known := signalKinds[name]
		if from, to, isGap := run.Gap(name); isGap {
			kind, known = GapKind(from, to), true
		}
		if known {
			t.Record(kind, f.Outcome, signature, time.Duration(v)*time.Microsecond)
		}
	}
}

// Keys lists the histograms there are, in the order of their names.
func (t *Timings) Keys() []TimingKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys()
}

func (t *Timings) keys() []TimingKey {
	keys := make([]TimingKey, 0, len(t.hists))
	for k := range t.hists {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b TimingKey) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Group, b.Group))
	})
	return keys
}

// Histogram returns a copy of one histogram, in nanoseconds; nil where there is none.
func (t *Timings) Histogram(k TimingKey) *hdr.Histogram {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hists[k]
	if h == nil {
		return nil
	}
	return h.Clone()
}

// Merge adds what o has counted.
func (t *Timings) Merge(o *Timings) {
	for _, k := range o.Keys() {
		h := o.Histogram(k)
		t.mu.Lock()
		// Both have one geometry, so nothing is dropped.
		_ = t.histogram(k).Merge(h)
		t.mu.Unlock()
	}
}

const timingsVersion = 1

type timingsDocument struct {
	Version int           `json:"version"`
	Timings []timingEntry `json:"timings"`
}

type timingEntry struct {
	TimingKey
	Histogram string `json:"histogram"`
}

// Snapshot encodes the timings so that RestoreTimings gives the same.
func (t *Timings) Snapshot() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	doc := timingsDocument{Version: timingsVersion}
	for _, k := range t.keys() {
		text, err := t.hists[k].Encode(hdr.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encode timings of %s: %w", k, err)
		}
		doc.Timings = append(doc.Timings, timingEntry{k, string(text)})
	}
	return json.Marshal(doc)
}

// RestoreTimings reads a snapshot; no bytes at all give empty timings.
func RestoreTimings(data []byte) (*Timings, error) {
	t := NewTimings()
	if len(data) == 0 {
		return t, nil
	}
	var doc timingsDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read timings: %w", err)
	}
	if doc.Version != timingsVersion {
		return nil, fmt.Errorf("read timings: version %d, this heisen knows %d: use the heisen that wrote it", doc.Version, timingsVersion)
	}
	for _, e := range doc.Timings {
		h, err := hdr.Decode([]byte(e.Histogram))
		if err != nil {
			return nil, fmt.Errorf("read timings of %s: %w", e.TimingKey, err)
		}
		if dropped := t.histogram(e.TimingKey).Merge(h); dropped > 0 {
			return nil, fmt.Errorf("read timings of %s: %d values out of range", e.TimingKey, dropped)
		}
	}
	return t, nil
}
