package bundle

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"heisen/repro/provenance"
	"heisen/repro/signature"
	"heisen/stress/run"
)

// Schema is the version of the format this package writes and the newest it reads. A new optional field or
// file leaves it as it is; it goes up when something already there changes its meaning.
const Schema = 1

// Names of the files in a bundle's folder.
const (
	ManifestFile = "manifest.json"
	OutputFile   = "output.log"
	TimesFile    = "output.times"
	DumpFile     = "dump.log"
	ScriptFile   = "repro.sh"
	PlanFile     = "plan.json"
	TempFolder   = "tmp"
)

// Manifest describes one attempt and every file of its bundle. Times are in microseconds, sizes in bytes.
type Manifest struct {
	Schema int `json:"schema"`
	// Heisen is the version that wrote the bundle.
	Heisen   string `json:"heisen"`
	Campaign string `json:"campaign"`
	Epoch    int    `json:"epoch"`

	Attempt     Attempt           `json:"attempt"`
	Command     Command           `json:"command"`
	Hashes      map[string]string `json:"hashes,omitempty"`
	Git         provenance.Git    `json:"git"`
	Environment Environment       `json:"environment"`
	Host        provenance.Host   `json:"host"`
	Tier        run.Tier          `json:"tier"`

	Ending    Ending     `json:"ending"`
	Signature *Signature `json:"signature,omitempty"`
	// Variant names the attempt's interleaving; the trace itself is in trace.json.
	Variant string `json:"variant,omitempty"`
	// Exemplar tells that a pass was kept because no attempt before it had its variant.
	Exemplar bool   `json:"exemplar,omitempty"`
	Timing   Timing `json:"timing"`
	// Chaos is what was done to the schedule on purpose, nil where it was left alone.
	Chaos    *run.Chaos `json:"chaos,omitempty"`
	Leaks    []run.Leak `json:"leaks,omitempty"`
	HeldOpen bool       `json:"held_open,omitempty"`
	Output   Output     `json:"output"`
	// Temp tells what was kept of the attempt's temp folder; nil where nothing was looked for.
	Temp         *Temp             `json:"temp,omitempty"`
	NotCollected map[string]string `json:"not_collected,omitempty"`

	// Conditions are the campaign's; nil in bundles of versions that did not record them.
	Conditions *Conditions `json:"conditions,omitempty"`

	// Exported tells what was done to this copy when it was exported; nil for a bundle where it was made.
	Exported *Exported `json:"exported,omitempty"`

	// Files lists every other file of the bundle, sorted by path.
	Files []File `json:"files"`
}

// Attempt is which attempt it was and what it was given of its own.
type Attempt struct {
	Seq int64 `json:"seq"`
	Try int   `json:"try"`
	// Seeds are strings in JSON: many readers keep only 53 bits of a number.
	Seed         uint64 `json:"seed,string"`
	CampaignSeed uint64 `json:"campaign_seed,string"`
	Slot         int    `json:"slot"`
	PortBase     int    `json:"port_base"`
	Ports        int    `json:"ports"`
	// Running is how many attempts ran at its start, itself included.
	Running int `json:"running"`
	// Temp is the private folder it had; expanded arguments may name it.
	Temp    Text  `json:"temp"`
	Timeout int64 `json:"timeout_us"`
}

// Conditions are what held for all attempts of the campaign and that a replay needs beside the plan.
type Conditions struct {
	// Width is how many attempts ran at once, Load what kept the machine busy meanwhile (as run.Spec has it).
	Width   int               `json:"width"`
	Load    string            `json:"load,omitempty"`
	Limits  run.Limits        `json:"limits"`
	Oracle  run.Oracle        `json:"oracle"`
	Timeout run.TimeoutPolicy `json:"timeout"`
}

// Command is what was run: as given, with placeholders, and as this attempt ran it.
type Command struct {
	Given []Text `json:"given"`
	Args  []Text `json:"args"`
	Path  Text   `json:"path"`
	Dir   Text   `json:"dir"`
}

// Environment holds the allowed values and, of everything else, the name.
type Environment struct {
	Values map[string]Text `json:"values"`
	Names  []Text          `json:"names,omitempty"`
}

// Ending is how it ended: the verdict, then the facts behind it.
type Ending struct {
	Outcome    run.Outcome `json:"outcome"`
	Cause      string      `json:"cause,omitempty"`
	Code       int         `json:"code"`
	Signal     int         `json:"signal,omitempty"`
	SignalName string      `json:"signal_name,omitempty"`
	CoreDumped bool        `json:"core_dumped,omitempty"`
	TimedOut   bool        `json:"timed_out,omitempty"`
	OOMKills   int         `json:"oom_kills,omitempty"`
	Machine    string      `json:"machine,omitempty"`
	Harness    string      `json:"harness,omitempty"`
}

// Signature is the identity of a failure and what failed in it.
type Signature = signature.Signature

// Timing is when the attempt ran and what it took.
type Timing struct {
	Started   time.Time `json:"started"`
	Wall      int64     `json:"wall_us"`
	User      int64     `json:"user_us"`
	System    int64     `json:"system_us"`
	Suspended int64     `json:"suspended_us,omitempty"`
	MaxRSS    int64     `json:"max_rss_bytes"`
}

// Output accounts for every byte the attempt wrote.
type Output struct {
	Total   int64 `json:"total"`
	Kept    int64 `json:"kept"`
	Omitted int64 `json:"omitted"`
	// Gap is the offset in output.log at which the omitted bytes would stand.
	Gap int64 `json:"gap,omitempty"`
	// Dump is the offset in output.log where the stack dump begins, -1 where none was asked for.
	Dump int64 `json:"dump"`
}

// Exported tells how a copy of a bundle differs from the one it was made from.
type Exported struct {
	// From is the hash of the original's manifest.
	From string `json:"from"`
	// Masked counts what was masked, by rule; LeftOut says which files stayed behind and why.
	Masked  map[string]int    `json:"masked,omitempty"`
	LeftOut map[string]string `json:"left_out,omitempty"`
}

// File is one file of the bundle: a slash-separated path below its folder, and its content's identity.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Text is bytes that are nearly always UTF-8, such as an argument. It is a JSON string where it is, and
// {"base64": "..."} where it is not, so that no byte is lost: JSON itself would replace it.
type Text string

type base64Text struct {
	Base64 string `json:"base64"`
}

// MarshalJSON writes either form.
func (t Text) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(base64Text{base64.StdEncoding.EncodeToString([]byte(t))})
}

// UnmarshalJSON reads either form.
func (t *Text) UnmarshalJSON(data []byte) error {
	var plain string
	if json.Unmarshal(data, &plain) == nil {
		*t = Text(plain)
		return nil
	}
	var coded base64Text
	if err := json.Unmarshal(data, &coded); err != nil {
		return fmt.Errorf("neither a string nor base64: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(coded.Base64)
	*t = Text(raw)
	return err
}

func texts(list []string) []Text {
	out := make([]Text, len(list))
	for i, s := range list {
		out[i] = Text(s)
	}
	return out
}
