package run

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// Attempt is one execution of the test command: which one it is and what it was given of its own.
type Attempt struct {
	// Seq numbers attempts from 1 in the order in which they were first started.
	Seq int64
	// Try numbers the executions of one attempt from 1; more than one means earlier tries were not the
	// test's doing (killed from outside, the machine out of resources).
	Try int
	// Slot is unique among attempts in flight and small: it names what copies must not share.
	Slot int
	// Seed is the attempt's own; all its tries have the same.
	Seed uint64
	// PortBase is the first of Spec.Ports consecutive ports.
	PortBase int
	// Temp is the attempt's private folder, empty at its start.
	Temp string
	// Running is how many attempts ran when this one started, itself included.
	Running int
	// Timeout is the time-out at its start; Control may change it later.
	Timeout time.Duration
	// Events is the file to which the test may append events (HEISEN_EVENTS); "" for none.
	Events string
	// Instead, where it is set, is executed in the place of the campaign's command: its Args, Path, Dir and Env
	// are as that one's. It is one of the programs that the command stands for.
	Instead *Command
	// Wrap is a command line, the program's absolute path first, that stands before the test's own argv and
	// runs it in its own way: the tracer. Empty for none.
	Wrap []string
	// Env is added to the test's environment, NAME=value, over what the campaign adds.
	Env []string
}

// SeedFor derives an attempt's seed from the campaign's: FNV-1a over both numbers, so that one attempt's
// seed depends neither on how many others there are nor on the order in which they start.
func SeedFor(campaign uint64, seq int64) uint64 {
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:8], campaign)
	binary.LittleEndian.PutUint64(buf[8:], uint64(seq))
	h := fnv.New64a()
	h.Write(buf[:])
	return h.Sum64()
}

// Environ is what every attempt finds in its environment, beside what it inherits.
func (a Attempt) Environ() []string {
	env := []string{
		"TMPDIR=" + a.Temp,
		"HEISEN_ATTEMPT=" + strconv.FormatInt(a.Seq, 10),
		"HEISEN_SLOT=" + strconv.Itoa(a.Slot),
		"HEISEN_SEED=" + strconv.FormatUint(a.Seed, 10),
		"HEISEN_PORT_BASE=" + strconv.Itoa(a.PortBase),
	}
	if a.Events != "" {
		env = append(env, "HEISEN_EVENTS="+a.Events)
	}
	return env
}

// Expand replaces the placeholders {attempt}, {slot}, {seed}, {port} and {tmp} in text.
func (a Attempt) Expand(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return strings.NewReplacer(
		"{attempt}", strconv.FormatInt(a.Seq, 10),
		"{slot}", strconv.Itoa(a.Slot),
		"{seed}", strconv.FormatUint(a.Seed, 10),
		"{port}", strconv.Itoa(a.PortBase),
		"{tmp}", a.Temp,
	).Replace(text)
}
