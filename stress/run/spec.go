package run

import "time"

// Spec is all a campaign was asked to do. It is written to the campaign's folder, so that a resume can
// go on without being told again, and compared with what a resume is told.
type Spec struct {
	Command Command       `json:"command"`
	Stop    Stop          `json:"stop"`
	Oracle  Oracle        `json:"oracle"`
	Timeout TimeoutPolicy `json:"timeout"`
	Limits  Limits        `json:"limits"`
	Keep    Keep          `json:"keep"`
	// Width is how many attempts run at once (-j).
	Width int `json:"width"`
	// Ramp starts the first attempts gradually instead of all at once.
	Ramp bool `json:"ramp"`
	// Seed is what every attempt's seed is derived from.
	Seed uint64 `json:"seed"`
	// Signals measures every attempt (see SignalTable).
	Signals bool `json:"signals"`
	// Sched says which attempts the scheduler's own record is taken of: "on" for all, "off" for none, "auto"
	// or empty for as many as cost little.
	Sched string `json:"sched,omitempty"`
	// Load is what keeps the machine busy meanwhile, cpu=N,mem=SIZE,io=N; empty for nothing.
	Load string `json:"load,omitempty"`
	// Markers name events in the output, NAME=REGEX.
	Markers []string `json:"markers,omitempty"`
	// Chaos is what is done to the attempts' schedules on purpose.
	Chaos ChaosPolicy `json:"chaos,omitzero"`
	// Ports is how many consecutive TCP or UDP ports every attempt may call its own, from HEISEN_PORT_BASE.
	Ports int `json:"ports"`
}

// Command is the test. Args, Dir and the values of Env may hold the placeholders {attempt}, {slot},
// {seed}, {port} and {tmp}.
type Command struct {
	// Args is argv; Args[0] is as the user typed it.
	Args []string `json:"args"`
	// Path is the executable Args[0] was resolved to, absolute.
	Path string `json:"path"`
	// Dir is the working folder, absolute unless it begins with a placeholder.
	Dir string `json:"dir"`
	// Env is added to heisen's own environment, NAME=value.
	Env []string `json:"env,omitempty"`
}

// Stop says when a campaign is over; a zero field is no rule. The first rule that holds wins, and a
// campaign without any rule goes on until it is interrupted.
type Stop struct {
	Runs     int64         `json:"runs,omitempty"`
	For      time.Duration `json:"for_ns,omitempty"`
	Failures int64         `json:"failures,omitempty"`
}

// Oracle holds the user's patterns (Go regular expressions, matched against the whole kept output,
// standard output and standard error together). Ignore wins over FailOn, FailOn over PassOn, and any of
// them over the exit code.
type Oracle struct {
	FailOn []string `json:"fail_on,omitempty"`
	PassOn []string `json:"pass_on,omitempty"`
	Ignore []string `json:"ignore,omitempty"`
}

// TimeoutPolicy says how long one attempt may take and how it is stopped after that.
type TimeoutPolicy struct {
	// Fixed is the user's own time-out; zero means automatic (see AutoTimeout).
	Fixed time.Duration `json:"fixed_ns,omitempty"`
	// DumpSignal is sent first, for a stack dump (a name such as QUIT; empty for none).
	DumpSignal string `json:"dump_signal,omitempty"`
	// Grace is how long each step of stopping waits before the next: dump signal, TERM, KILL.
	Grace time.Duration `json:"grace_ns"`
}

// Limits confines every attempt; a zero field is no limit.
type Limits struct {
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	Processes   int64 `json:"processes,omitempty"`
	// CPU is the fraction of this machine's CPUs, more than 0 and at most 1, whose time each attempt may
	// have: 0.25 of 8 CPUs is the time of 2. It is one attempt's own; copies do not share it.
	CPU float64 `json:"cpu,omitempty"`
}

// Keep bounds what a campaign leaves on disk.
type Keep struct {
	// Failures is how many failures of each signature keep their full evidence.
	Failures int `json:"failures"`
	// Passes is how many passing attempts are kept in full, to compare with.
	Passes int `json:"passes"`
	// Variants is how many passing attempts are kept because their interleaving was new.
	Variants int `json:"variants,omitempty"`
	// OutputBytes is how much of one attempt's output is kept: half from its head, half from its tail.
	OutputBytes int64 `json:"output_bytes"`
}
