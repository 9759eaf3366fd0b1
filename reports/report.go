package reports

import (
	"time"

	"heisen/stress/run"
)

// SchemaVersion is the version of Report's JSON. Fields are only ever added; the number is raised when one
// is.
const SchemaVersion = 5

// State is what a campaign is doing, or how it was left.
type State string

const (
	// Running is a campaign that some heisen has open now.
	Running State = "running"
	// Finished is one that a stop rule of its own ended.
	Finished State = "finished"
	// Interrupted is one that the user ended.
	Interrupted State = "interrupted"
	// Stopped is one that could not go on: see StopReason.
	Stopped State = "stopped"
	// CutOff is one whose heisen was killed, or whose machine went down: it never said that it ended.
	CutOff State = "cut_off"
	// Empty is one that holds no session at all.
	Empty State = "empty"
)

// Report is a campaign in figures. A pointer or list that is nil was not measured or does not apply:
// nothing is ever a false zero.
type Report struct {
	SchemaVersion int    `json:"schema_version"`
	ID            string `json:"id"`
	Dir           string `json:"dir"`
	// Resume is the command that goes on with it; "" is hunt.
	Resume  string   `json:"-"`
	Command []string `json:"command"`
	WorkDir string   `json:"work_dir,omitempty"`
	// Version is that of the heisen which ran the latest session.
	Version string `json:"heisen_version,omitempty"`

	State      State          `json:"state"`
	StopReason run.StopReason `json:"stop_reason,omitempty"`
	StopDetail string         `json:"stop_detail,omitempty"`
	Began      time.Time      `json:"began,omitzero"`
	// LastSeen is the time of the latest fact on record.
	LastSeen time.Time `json:"last_seen,omitzero"`
	// Sessions counts the start and every resume.
	Sessions int `json:"sessions"`
	// TimesCutOff counts the earlier sessions that never said they ended.
	TimesCutOff int     `json:"times_cut_off"`
	Elapsed     Seconds `json:"elapsed_seconds"`
	// PerSecond is finished attempts per second of Elapsed; nil before any time has passed.
	PerSecond *float64 `json:"attempts_per_second,omitempty"`
	Width     int      `json:"width,omitempty"`
	// Seed is text in JSON: many readers cannot hold 64 bits in a number.
	Seed uint64 `json:"seed,string,omitempty"`
	Stop Limits `json:"stop_rules"`

	// Attempts holds the whole campaign's counts, disturbed attempts among them; Rate that of the latest epoch's
	// attempts that were left alone.
	Attempts Attempts `json:"attempts"`
	Rate     Rate     `json:"rate"`
	// Chaos is the account of the strategies that disturbed schedules; nil where none did.
	Chaos *Chaos `json:"chaos,omitempty"`
	// Epochs lists, oldest first, the parts that ran one program in one way. Only theirs is a rate.
	Epochs []Epoch `json:"epochs"`
	// Retries counts tries that did not count, by outcome.
	Retries map[run.Outcome]int64 `json:"retries,omitempty"`
	// MachineFaults counts the machine's own faults met, by their words.
	MachineFaults map[string]int64 `json:"machine_faults,omitempty"`
	// Strays are processes left behind, and killed, that nobody can tell whose they were; nil for none. A session
	// tells of them when it ends.
	Strays    *run.Strays `json:"strays,omitempty"`
	Durations Durations   `json:"durations"`
	Timeout   *Timeout    `json:"timeout,omitempty"`
	Tier      *run.Tier   `json:"tier,omitempty"`
	// NotCollected maps a signal to why the latest session's machine cannot give it.
	NotCollected map[string]string `json:"not_collected,omitempty"`

	// Soak is what the attempts show of the question a soak was asked; nil for a hunt.
	Soak *Soak `json:"soak,omitempty"`

	// Starvation says whether the machine starved the failing attempts; nil where nothing was compared.
	Starvation *Starvation `json:"starvation,omitempty"`

	// Interleavings counts the orders that were recorded and Variants lists them, the most frequent first; nil
	// where none was.
	Interleavings *Interleavings `json:"interleavings,omitempty"`
	Variants      []Variant      `json:"variants,omitempty"`
	// Divergence says where failing interleavings part from passing ones; nil where nothing was compared.
	Divergence *Divergence `json:"divergence,omitempty"`

	Signatures []Signature `json:"signatures"`
	// Explain is the bundle for heisen repro --explain to begin with, absolute; absent where no kept failure had holds.
	Explain string `json:"explain,omitempty"`
	// Unlisted counts failures with signatures beyond the number that is listed.
	Unlisted int64 `json:"failures_unlisted,omitempty"`
	// KeptPasses are folders of passing attempts, absolute.
	KeptPasses []string `json:"kept_passes,omitempty"`
	// Doubts are what a reader must know before believing the figures, in words.
	Doubts []string `json:"doubts,omitempty"`
}

// Limits are the stop rules; a zero is no rule.
type Limits struct {
	Runs     int64   `json:"runs,omitempty"`
	For      Seconds `json:"for_seconds,omitempty"`
	Failures int64   `json:"failures,omitempty"`
}

// Rate is how often the test fails: failures (fail, crash, timeout) among the attempts that say anything
// about the test (pass and failures).
type Rate struct {
	Failures int64 `json:"failures"`
	Attempts int64 `json:"attempts"`
	// Share is Failures/Attempts; nil without attempts.
	Share *float64 `json:"share,omitempty"`
	// Low and High are the Clopper-Pearson interval at Confidence: [0, 1] without attempts.
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
}

// Epoch is a part of a campaign that ran one program in one way.
type Epoch struct {
	Number   int      `json:"number"`
	Command  []string `json:"command"`
	Attempts Attempts `json:"attempts"`
	Rate     Rate     `json:"rate"`
}

// Durations are the wall times of attempts that passed and of those that failed, all epochs together; nil
// where there are none. They are exact to three digits.
type Durations struct {
	Pass *Quantiles `json:"pass,omitempty"`
	Fail *Quantiles `json:"fail,omitempty"`
}

// Quantiles summarise wall times.
type Quantiles struct {
	Count int64   `json:"count"`
	P50   Seconds `json:"p50_seconds"`
	P90   Seconds `json:"p90_seconds"`
	P99   Seconds `json:"p99_seconds"`
	Max   Seconds `json:"max_seconds"`
}

// Timeout is how long an attempt may take.
type Timeout struct {
	Limit Seconds `json:"limit_seconds"`
	Auto  bool    `json:"auto"`
	// Settled tells that an automatic time-out was computed from Passes attempts; before that it is a
	// generous guess.
	Settled bool  `json:"settled"`
	Passes  int64 `json:"passes,omitempty"`
}

// Signature is one kind of failure.
type Signature struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Count int64  `json:"count"`
	// First and Last are the numbers of the first and the last attempt that failed so.
	First     int64                 `json:"first_attempt"`
	Last      int64                 `json:"last_attempt"`
	Epoch     int                   `json:"latest_epoch"`
	ByOutcome map[run.Outcome]int64 `json:"by_outcome"`
	// Bundles are folders, absolute; the first is the one to open first. It is empty, not absent, where
	// only records were kept.
	Bundles []string `json:"bundles"`
}
