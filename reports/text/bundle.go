package text

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"heisen/reports/human"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Bundle is what ShowBundle shows of one attempt's evidence. Every text may come from a stranger.
type Bundle struct {
	// Path is the bundle's folder, absolute.
	Path      string
	Campaign  string
	Attempt   run.Attempt
	Title     string
	Signature string
	Outcome   run.Outcome
	Cause     string
	Command   []string
	WorkDir   string
	Began     time.Time
	Wall      time.Duration
	Usage     run.Usage
	// Facts are further lines of the head: revision of the source, hashes.
	Facts []Pair
	// Environment lists variables; Host what machine it was.
	Environment []Variable
	Host        []Pair
	Output      run.Output
	// Dump is the stack dump, where one was asked for.
	Dump  []byte
	Leaks []run.Leak
	// Divergence says where the attempt parted from the nearest passing one; nil where that is not known.
	Divergence *interleave.Divergence
	// Variant names its interleaving; Exemplar tells that it was kept as the first with it.
	Variant  string
	Exemplar bool
	// NotCollected maps a measurement to why it is missing.
	NotCollected map[string]string
}

// Pair is one named fact.
type Pair struct{ Name, Value string }

// Variable is one variable of the environment. A bundle holds the values of harmless ones alone.
type Variable struct {
	Name, Value string
	// Withheld tells that the value was not kept.
	Withheld bool
}

// How many lines of output are shown unless all of it is asked for: enough of the start to recognise it,
// and more of the end, where a failure is usually told.
const (
	headLines = 20
	tailLines = 60
	// longestLine is in bytes.
	longestLine = 2000
)

// ShowBundle writes what `show BUNDLE` prints. Long output is cut to its head and its tail unless all is
// asked for.
func ShowBundle(w io.Writer, b Bundle, s Style, all bool) error {
	p := &printer{w: w, style: s}
	p.bundleHead(b)
	if b.Divergence != nil {
		p.blank()
		p.divergence(b.Divergence, "nearest passing attempt", "this attempt", all)
	}
	p.output(&b.Output, all)
	p.dump(b.Dump, all)
	p.leaks(b.Leaks)
	p.environment(b.Environment)
	p.pairs("Host:", b.Host)
	p.pairs("Not collected:", pairsOf(b.NotCollected))
	return p.err
}

func (p *printer) bundleHead(b Bundle) {
	p.line(Strong, "%s", cmp.Or(b.Title, b.Signature, "attempt without a title"))
	outcome := b.Outcome.String()
	if b.Cause != "" {
		outcome += ": " + b.Cause
	}
	p.line(outcomePaint(b.Outcome), "  outcome    %s", outcome)
	p.copyable("  command    %s", QuoteAll(b.Command))
	p.copyable("  folder     %s", b.WorkDir)
	p.copyable("  bundle     %s", b.Path)
	p.line(Plain, "  campaign   %s", b.Campaign)
	if b.Signature != "" {
		p.line(Plain, "  signature  %s", b.Signature)
	}
	if b.Variant != "" {
		note := ""
		if b.Exemplar {
			note = ", of which it was the first"
		}
		p.line(Plain, "  variant    %s%s", b.Variant, note)
	}
	a := b.Attempt
	p.line(Plain, "  attempt    %s, try %d, slot %d, %d running", human.Count(a.Seq), a.Try, a.Slot, a.Running)
	p.line(Plain, "  seed       %d", a.Seed)
	p.line(Plain, "  began      %s", p.style.Time(b.Began))
	p.line(Plain, "  took       %s wall, %s user, %s system, at most %s resident", human.Duration(b.Wall),
		human.Duration(b.Usage.User), human.Duration(b.Usage.System), human.Bytes(b.Usage.MaxRSS))
	for _, f := range b.Facts {
		p.copyable("  %s %s", padRight(f.Name, 10), f.Value)
	}
}

func outcomePaint(o run.Outcome) Paint {
	switch {
	case o.Failed():
		return Red
	case o == run.Pass:
		return Plain
	}
	return Yellow
}

func (p *printer) environment(list []Variable) {
	if len(list) == 0 {
		return
	}
	p.blank()
	p.line(Plain, "Environment:")
	withheld := []string{}
	for _, v := range list {
		if v.Withheld {
			withheld = append(withheld, v.Name)
			continue
		}
		p.copyable("  %s=%s", v.Name, Quote(v.Value))
	}
	if len(withheld) > 0 {
		p.item(Faint, "set, values not kept: "+strings.Join(withheld, " "))
	}
}

func (p *printer) pairs(title string, list []Pair) {
	if len(list) == 0 {
		return
	}
	width := 0
	for _, f := range list {
		width = max(width, Width(Escape(f.Name)))
	}
	p.blank()
	p.line(Plain, "%s", title)
	for _, f := range list {
		p.line(Plain, "  %s  %s", padRight(Escape(f.Name), width), f.Value)
	}
}

func pairsOf(m map[string]string) []Pair {
	var list []Pair
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Pair{name, m[name]})
	}
	return list
}

func (p *printer) leaks(list []run.Leak) {
	if len(list) == 0 {
		return
	}
	p.blank()
	p.line(Plain, "Processes left behind and killed:")
	for _, l := range list {
		p.line(Plain, "  %d  %s", l.PID, l.Command)
	}
}

// output shows what the attempt wrote. Every line has its time, its stream and a bar before it, so that
// nothing a test prints begins a line: logs are read by programs that obey lines.
func (p *printer) output(o *run.Output, all bool) {
	p.blank()
	if o.Total == 0 {
		p.line(Plain, "Output: none")
		return
	}
	if o.Omitted > 0 {
		p.line(Plain, "Output (%s, of which %s in the middle were not kept):", human.Bytes(o.Total), human.Bytes(o.Omitted))
	} else {
		p.line(Plain, "Output (%s):", human.Bytes(o.Total))
	}
	lines := outputLines(o.Head)
	cut := len(lines)
	lines = append(lines, outputLines(o.Tail)...)
	p.trimmed(len(lines), all, func(i int) {
		if i == cut && o.Omitted > 0 {
			p.line(Yellow, "  ... %s not kept ...", human.Bytes(o.Omitted))
		}
		l := lines[i]
		p.outputLine(fmt.Sprintf("%9.3fs %s | ", l.At.Seconds(), l.Stream), l.Data, all)
	})
}

// dump shows the stack dump, also with a bar before each line.
func (p *printer) dump(data []byte, all bool) {
	if len(data) == 0 {
		return
	}
	p.blank()
	p.line(Plain, "Stack dump (%s):", human.Bytes(int64(len(data))))
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	p.trimmed(len(lines), all, func(i int) { p.outputLine("  | ", lines[i], all) })
}

// trimmed calls show for each of n lines, or for the first and the last of them.
func (p *printer) trimmed(n int, all bool, show func(i int)) {
	for i := range n {
		switch {
		case all || n <= headLines+tailLines || i < headLines || i >= n-tailLines:
			show(i)
		case i == headLines:
			p.line(Yellow, "  ... %s not shown: add --all ...", human.Plural(int64(n-headLines-tailLines), "line"))
		}
	}
}

func (p *printer) outputLine(lead string, data []byte, all bool) {
	if rest := len(data) - longestLine; rest > 0 && !all {
		p.copyable("%s%s... (%s more)", lead, EscapeLine(string(data[:longestLine])), human.Bytes(int64(rest)))
		return
	}
	p.copyable("%s%s", lead, EscapeLine(string(data)))
}

// outputLines splits chunks into lines. A line begins with the chunk that brought its first byte; a chunk of
// the other stream ends the line of this one, because that is the order in which they came.
func outputLines(chunks []run.Chunk) []run.Chunk {
	var lines []run.Chunk
	open := false
	for _, c := range chunks {
		for part := range bytes.Lines(c.Data) {
			text := bytes.TrimSuffix(part, []byte("\n"))
			if open && lines[len(lines)-1].Stream == c.Stream {
				last := &lines[len(lines)-1]
				last.Data = append(last.Data, text...)
			} else {
				lines = append(lines, run.Chunk{Stream: c.Stream, At: c.At, Data: bytes.Clone(text)})
			}
			open = len(text) == len(part)
		}
	}
	return lines
}
