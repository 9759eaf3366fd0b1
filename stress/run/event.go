package run

import "time"

// Event is one thing the engine tells its sinks. The set is closed: the types below.
type Event interface{ event() }

// Began opens a session of a campaign: its first start, or a resume.
type Began struct {
	At       time.Time `json:"at"`
	Campaign string    `json:"campaign"`
	// Epoch numbers, from 1, the parts of a campaign that ran the same program the same way.
	Epoch int `json:"epoch"`
	// Session numbers, from 1, the times the campaign was started or resumed.
	Session int  `json:"session"`
	Spec    Spec `json:"spec"`
	// Identity says what program the epoch runs.
	Identity Identity `json:"identity"`
	// Tier is how this session's processes are supervised, and what that lacks.
	Tier Tier `json:"tier"`
	// NotCollected maps a signal to why this machine cannot give it.
	NotCollected map[string]string `json:"not_collected,omitempty"`
	// NotDrawn maps a strategy of Spec.Chaos to why this machine cannot do it.
	NotDrawn map[string]string `json:"not_drawn,omitempty"`
	// Version is heisen's own.
	Version string `json:"version"`
}

// Identity is what must stay the same for attempts to be counted together.
type Identity struct {
	// Hashes maps the executable and each argument that names a file to the SHA-256 of its content.
	Hashes map[string]string `json:"hashes,omitempty"`
}

// Tier names a way of supervising processes and what is lost with it.
type Tier struct {
	Name  string   `json:"name"`
	Lacks []string `json:"lacks,omitempty"`
}

// Started tells that an attempt runs. It is not journaled: only the end of an attempt is a fact.
type Started struct {
	Attempt Attempt
	At      time.Time
}

// Retried tells that a try did not count and the attempt will be run again.
type Retried struct {
	Seq     int64   `json:"seq"`
	Try     int     `json:"try"`
	Outcome Outcome `json:"outcome"`
	Cause   string  `json:"cause,omitempty"`
}

// Finished is one attempt's record: it is emitted only once it is in the journal.
type Finished struct {
	Seq     int64     `json:"seq"`
	Try     int       `json:"try"`
	Epoch   int       `json:"epoch,omitempty"`
	Slot    int       `json:"slot"`
	Running int       `json:"running"`
	Seed    uint64    `json:"seed"`
	At      time.Time `json:"at"`
	// Wall, User and System are in microseconds, MaxRSS in KiB: small numbers keep the journal small.
	Wall    int64   `json:"wall_us"`
	User    int64   `json:"user_us"`
	System  int64   `json:"system_us"`
	MaxRSS  int64   `json:"rss_kib"`
	Outcome Outcome `json:"outcome"`
	// Cause says in a few words why the outcome is what it is; empty for a plain pass.
	Cause  string `json:"cause,omitempty"`
	Code   int    `json:"code,omitempty"`
	Signal string `json:"signal,omitempty"`
	Leaked bool   `json:"leaked,omitempty"`
	// Output is how many bytes the attempt wrote.
	Output int64 `json:"output,omitempty"`
	// Signals are its measurements.
	Signals Signals `json:"signals,omitempty"`
	// AtLeast names, in order, the signals whose figure is a lower bound.
	AtLeast []string `json:"at_least,omitempty"`
	// Variant names the canonical form of its interleaving; empty where none was recorded.
	Variant string `json:"variant,omitempty"`
	// Chaos is what was done to its schedule on purpose.
	Chaos *Chaos `json:"chaos,omitempty"`
	// Filed is where the attempt's evidence is; nil for most passes.
	Filed *Filed `json:"filed,omitempty"`
}

// Filed is what archiving an attempt's evidence came to.
type Filed struct {
	// Signature is the failure's identity; empty for a kept pass.
	Signature string `json:"signature,omitempty"`
	Title     string `json:"title,omitempty"`
	// Parts are the signatures that each thing which failed would have alone; nil where it is one.
	Parts []string `json:"parts,omitempty"`
	// Bundle is the folder, relative to the campaign's; empty where only this record is kept.
	Bundle string `json:"bundle,omitempty"`
	// Hash is the SHA-256 of the bundle's manifest.
	Hash string `json:"hash,omitempty"`
	// Exemplar tells that a pass was kept because no attempt before it had its variant.
	Exemplar bool `json:"exemplar,omitempty"`
	// Tail is the end of the output of a failure that has no bundle.
	Tail string `json:"tail,omitempty"`
}

// TimeoutSet tells that the automatic time-out was settled or has moved.
type TimeoutSet struct {
	Timeout time.Duration `json:"timeout_ns"`
	// Passes is how many passing attempts it was computed from.
	Passes int64 `json:"passes"`
	P99    int64 `json:"p99_us"`
}

// Slow tells that a running attempt has taken ten times the median.
type Slow struct {
	Attempt Attempt
	Running time.Duration
	Median  time.Duration
}

// MachineFault tells that the machine, not the test, is in the way, and what heisen does about it.
type MachineFault struct {
	Fault string        `json:"fault"`
	Wait  time.Duration `json:"wait_ns"`
}

// Noticed is a sentence the user should see once. It is not journaled.
type Noticed struct{ Text string }

// Paused and Resumed tell that the campaign stands still (Ctrl-Z) and goes on.
type (
	Paused  struct{ At time.Time }
	Resumed struct{ At time.Time }
)

// Stopping tells that no more attempts are started, and why.
type Stopping struct {
	Reason  StopReason
	Running int
}

// Ended closes a session that came to its own end; after a crash there is none.
type Ended struct {
	At     time.Time  `json:"at"`
	Reason StopReason `json:"reason"`
	// Detail is the error behind ReasonError.
	Detail string `json:"detail,omitempty"`
	// Cancelled is how many attempts were stopped unfinished; a resume runs them again.
	Cancelled int64 `json:"cancelled,omitempty"`
	// Elapsed is how long the session ran, pauses not counted.
	Elapsed time.Duration `json:"elapsed_ns"`
	// Strays is nil where there were none.
	Strays *Strays `json:"strays,omitempty"`
}

// StopReason is why a session ended.
type StopReason string

const (
	ReasonRuns     StopReason = "runs"
	ReasonTime     StopReason = "time"
	ReasonFailures StopReason = "failures"
	// ReasonDecided is a question that is answered (Config.Answered of the engine).
	ReasonDecided     StopReason = "decided"
	ReasonInterrupted StopReason = "interrupted"
	// ReasonStart is a command that cannot be started at all.
	ReasonStart StopReason = "start_failed"
	// ReasonMachine is a machine out of resources for longer than heisen waits.
	ReasonMachine StopReason = "machine"
	// ReasonError is a fault of heisen's own, or of the disk under the campaign.
	ReasonError StopReason = "error"
)

func (Began) event()        {}
func (Started) event()      {}
func (Retried) event()      {}
func (Finished) event()     {}
func (TimeoutSet) event()   {}
func (Slow) event()         {}
func (MachineFault) event() {}
func (Noticed) event()      {}
func (Paused) event()       {}
func (Resumed) event()      {}
func (Stopping) event()     {}
func (Ended) event()        {}
