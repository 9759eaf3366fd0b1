package markdown

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/repro/provenance"
	"heisen/stress/interleave"
)

// How much of each list is shown; more is counted.
const (
	mostRows       = 40
	mostStrategies = 30
	mostHolds      = 15
	mostSignatures = 10
	mostDoubts     = 15
	mostShell      = 4000
)

// shell is a fence of command lines.
func (d *document) shell(lines ...string) string {
	for i, l := range lines {
		lines[i] = clip(text.Escape(scrub(l, mostShell)), mostShell)
	}
	return fence("sh", lines)
}

func (d *document) reproduce() {
	command := d.command()
	if len(command) == 0 {
		return
	}
	d.heading("Reproduce")
	hunt := "heisen hunt --until-fail -- " + text.QuoteAll(command)
	if a := d.Attempt; a != nil && a.Manifest.Chaos != nil {
		hunt = "heisen hunt --chaos " + text.Quote(a.Manifest.Chaos.Strategy) + " --until-fail -- " + text.QuoteAll(command)
	}
	d.line("With heisen:\n")
	if d.Attempt == nil {
		d.b.WriteString(d.shell(hunt))
		return
	}
	d.b.WriteString(d.shell("heisen repro "+text.Quote(d.short(d.Attempt.Dir)), hunt))
	dir, args := string(d.Attempt.Manifest.Command.Dir), text.QuoteAll(d.Attempt.Args())
	d.line("\nWithout, until it fails (the bundle's `repro.sh` sets the recorded environment, too):\n")
	d.b.WriteString(d.shell("cd -- " + text.Quote(dir) + " && while " + args + "; do :; done"))
}

// short is a path seen from where the test ran, where it lies below that.
func (d *document) short(path string) string {
	rel, err := filepath.Rel(string(d.Attempt.Manifest.Command.Dir), path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}

// divergence says where failing and passing orders part: the campaign's finding about this kind of failure, else
// that about all, else what the bundle says of the one attempt.
func (d *document) divergence() {
	found := d.diverged()
	if found == nil {
		return
	}
	d.heading("Where failing and passing attempts part")
	d.line("%s.", strings.TrimSuffix(prose(found.Sentence, mostText), "."))
	if !found.Separated {
		d.line("\nThis describes; no test separated failing from passing attempts.")
	}
	if len(found.Columns) == 0 {
		return
	}
	from, to := around(found)
	d.line("")
	lines := []string{}
	if from > 0 {
		lines = append(lines, fmt.Sprintf("   (%d the same)", from))
	}
	width := len("passing")
	for _, row := range found.Columns[from:to] {
		width = max(width, text.Width(clip(text.Escape(scrub(row.Pass, mostCell)), mostCell/2)))
	}
	pad := func(s string) string { return s + strings.Repeat(" ", max(0, width-text.Width(s))) }
	lines = append(lines, "   "+pad("passing")+"   failing")
	for _, row := range found.Columns[from:to] {
		sign := "  "
		switch {
		case row.Fail == "":
			sign = "- "
		case row.Pass == "":
			sign = "+ "
		}
		side := func(s string) string { return clip(text.Escape(scrub(s, mostCell)), mostCell/2) }
		lines = append(lines, strings.TrimRight(sign+" "+pad(side(row.Pass))+"   "+side(row.Fail), " "))
	}
	if rest := len(found.Columns) - to; rest > 0 {
		lines = append(lines, fmt.Sprintf("   (%d more)", rest))
	}
	d.b.WriteString(fence("diff", lines))
}

func (d *document) diverged() *interleave.Divergence {
	if r := d.Report; r != nil && r.Divergence != nil {
		if d.Signature != nil && r.Divergence.BySignature[d.Signature.ID] != nil {
			return r.Divergence.BySignature[d.Signature.ID]
		}
		return r.Divergence.Divergence
	}
	if d.Attempt != nil {
		return d.Attempt.Divergence
	}
	return nil
}

// around is the rows that are shown: a quarter of them before the first difference.
func around(found *interleave.Divergence) (from, to int) {
	to = len(found.Columns)
	if to <= mostRows {
		return 0, to
	}
	for from < to && found.Columns[from].Pass != "" && found.Columns[from].Fail != "" {
		from++
	}
	from = max(0, min(from-mostRows/4, to-mostRows))
	return from, from + mostRows
}

// soak says what a soak was asked and what its attempts show.
func (d *document) soak() {
	if d.Report == nil || d.Report.Soak == nil {
		return
	}
	d.heading("Is it fixed?")
	for _, line := range d.Report.Soak.Lines() {
		d.line("- %s.", strings.TrimSuffix(prose(line, mostText), "."))
	}
}

func (d *document) starvation() {
	if d.Report == nil || d.Report.Starvation == nil {
		return
	}
	s := d.Report.Starvation
	sentence := s.Sentence
	if d.Signature != nil && s.BySignature[d.Signature.ID].Sentence != "" {
		sentence = s.BySignature[d.Signature.ID].Sentence
	}
	d.heading("Was it the CPU?")
	d.line("%s.", strings.TrimSuffix(prose(sentence, mostText), "."))
}

func (d *document) strategies() {
	if d.Report == nil || d.Report.Chaos == nil {
		return
	}
	c := d.Report.Chaos
	d.heading("Schedules disturbed on purpose")
	rows := [][]string{{"strategy", "failed", "share", "95 % confidence", "against plain"}}
	if c.Plain != nil {
		rows = append(rows, strategyRow(*c.Plain))
	}
	for i, s := range c.Strategies {
		if i == mostStrategies {
			break
		}
		rows = append(rows, strategyRow(s))
	}
	d.table(rows)
}

func strategyRow(s reports.Strategy) []string {
	row := []string{cell(s.Name, mostCell), human.Count(s.Rate.Failures) + " of " + human.Count(s.Rate.Attempts), "-", "-", "-"}
	if s.Rate.Share != nil {
		row[2] = human.Percent(*s.Rate.Share) + " %"
		row[3] = human.Range(s.Rate.Low, s.Rate.High) + " %"
	}
	if s.P != nil {
		row[4] = fmt.Sprintf("%s (p %s)", s.Verdict, human.Probability(*s.P))
	}
	return row
}

// plan lists what was done to the schedule of the attempt that is told.
func (d *document) plan() {
	if d.Attempt == nil || d.Attempt.Plan == nil {
		return
	}
	p := d.Attempt.Plan
	d.heading("What was done to this attempt's schedule")
	d.line("Strategy %s, seed %d. %s\n", code(p.Strategy, mostCell), p.Seed, prose(p.Drawn, mostText))
	for _, name := range slices.Sorted(maps.Keys(p.Settings))[:min(len(p.Settings), mostHolds)] {
		d.line("- %s: %s", prose(name, mostCell), code(p.Settings[name], mostCell))
	}
	if len(p.Holds) == 0 {
		return
	}
	rows := [][]string{{"thread", "where", "held", "it was in"}}
	for _, h := range p.Holds[:min(len(p.Holds), mostHolds)] {
		rows = append(rows, []string{cell(strings.TrimSpace(h.Path+" "+h.Name), mostCell), cell(where(h), mostCell), human.Duration(h.Held), cell(h.Call, mostCell)})
	}
	d.table(rows)
	rest := len(p.Holds) + p.More - mostHolds
	if rest > 0 {
		d.line("\nand %s more in the bundle's `plan.json`.", human.Plural(int64(rest), "hold"))
	}
	if d.Repro == nil || d.Repro.Minimized == nil {
		d.line("\nWhich of them the failure needs was not tested here.")
	}
}

// where is a hold's address in words.
func where(h evidence.Hold) string {
	s := fmt.Sprintf("%s, time %d", h.Kind, h.N)
	if h.Site != "" {
		s += ", " + h.Site
	}
	if h.Steps > 0 {
		s += fmt.Sprintf(", %d instructions later", h.Steps)
	}
	return s
}

func (d *document) signatures() {
	if d.Report == nil || len(d.Report.Signatures) < 2 {
		return
	}
	d.heading("Kinds of failure in this campaign")
	for i, s := range d.Report.Signatures {
		if i == mostSignatures {
			d.line("- and %s more", human.Plural(int64(len(d.Report.Signatures)-i), "kind"))
			break
		}
		title := s.Title
		if title == "" {
			title = s.ID
		}
		d.line("- %s: %s", human.Plural(s.Count, "time"), code(title, mostTitle))
	}
}

func (d *document) environment() {
	rows := [][]string{{"", ""}}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, cell(value, mostTitle)})
		}
	}
	if a := d.Attempt; a != nil {
		h := a.Manifest.Host
		add("system", strings.TrimSpace(fmt.Sprintf("%s %s, %s, Linux %s", h.OS, h.Arch, h.Distribution, h.Kernel)))
		if h.CPUs > 0 {
			add("CPUs", fmt.Sprintf("%d, %s", h.CPUs, h.CPUModel))
		}
		if h.Memory > 0 {
			add("memory", human.Bytes(int64(h.Memory)))
		}
		add("virtualisation", strings.TrimSpace(h.Virtualisation+" "+h.Container))
		add("supervision", a.Manifest.Tier.Name)
		add("running at once", human.Count(int64(a.Manifest.Attempt.Running)))
		add("heisen", a.Manifest.Heisen)
		for i, name := range slices.Sorted(maps.Keys(a.Manifest.Environment.Values)) {
			if i < mostRows && !ownVariable(name) && !provenance.SecretName(name) {
				rows = append(rows, []string{cell(name, mostCell), cell(string(a.Manifest.Environment.Values[name]), mostTitle)})
			}
		}
	}
	if r := d.Report; r != nil {
		add("campaign", fmt.Sprintf("%s, %d at once, seed %d", r.ID, r.Width, r.Seed))
		add("time", human.Elapsed(r.Elapsed.Duration()))
	}
	if len(rows) == 1 {
		return
	}
	d.heading("Environment")
	d.table(rows)
}

// ownVariable tells of a variable that heisen sets anew for every attempt.
func ownVariable(name string) bool {
	return strings.HasPrefix(name, "HEISEN_") || name == "TMPDIR" || name == "PWD"
}

func (d *document) doubts() {
	if d.Report == nil || len(d.Report.Doubts)+len(d.Report.MachineFaults) == 0 {
		return
	}
	d.heading("Mind")
	for _, s := range d.Report.Doubts[:min(len(d.Report.Doubts), mostDoubts)] {
		d.line("- %s", prose(s, mostText))
	}
	for i, fault := range slices.Sorted(maps.Keys(d.Report.MachineFaults)) {
		if i < mostDoubts {
			d.line("- the machine's fault, met %s: %s", human.Plural(d.Report.MachineFaults[fault], "time"), prose(fault, mostText))
		}
	}
}

const (
	// footRoom is kept for what comes after the log.
	footRoom = 600
	// longestLine of the log is in characters; leastHead of its lines stay while any of its end do.
	longestLine = 500
	leastHead   = 20
)

// log is the attempt's output: all of it, or its first and its last lines, as much as there is room for.
func (d *document) log() {
	if d.Attempt == nil || len(d.Attempt.Head)+len(d.Attempt.Tail) == 0 {
		return
	}
	d.heading("Output")
	head, tail := shown(d.Attempt.Head), shown(d.Attempt.Tail)
	missing := d.Attempt.Between
	size := 0
	for _, l := range append(slices.Clone(head), tail...) {
		size += utf8.RuneCountInString(l) + 1
	}
	// From the middle outwards, the end last: a failure is usually told there.
	for room := d.room() - footRoom; size > room && len(head)+len(tail) > 0; missing++ {
		if len(head) > leastHead || len(tail) == 0 {
			size -= utf8.RuneCountInString(head[len(head)-1]) + 1
			head = head[:len(head)-1]
		} else {
			size -= utf8.RuneCountInString(tail[0]) + 1
			tail = tail[1:]
		}
	}
	lines := slices.Clone(head)
	if missing > 0 || d.Attempt.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("(left out here: %s, and %s that were not kept)", human.Plural(missing, "line"), human.Bytes(d.Attempt.Omitted)))
	}
	lines = append(lines, tail...)
	if d.Flavour == GitHub {
		d.line("<details><summary>%s of standard output and error</summary>\n", human.Plural(int64(len(head)+len(tail)), "line"))
	}
	d.b.WriteString(fence("text", lines))
	if d.Flavour == GitHub {
		d.line("\n</details>")
	}
}

// shown is lines of output, scrubbed together, since a secret may have many lines, then escaped one by one.
func shown(list []evidence.Line) []string {
	var all strings.Builder
	for _, l := range list {
		all.WriteString(strings.TrimRight(l.Text[:min(len(l.Text), evidence.MostLine)], "\r\n") + "\n")
	}
	if all.Len() == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(provenance.Scrub(all.String()), "\n"), "\n")
	for i, l := range lines {
		lines[i] = clip(text.EscapeLine(l), longestLine)
	}
	return lines
}

func (d *document) foot() {
	version := "heisen"
	if d.Report != nil && d.Report.Version != "" {
		version += " " + d.Report.Version
	} else if d.Attempt != nil {
		version += " " + d.Attempt.Manifest.Heisen
	}
	d.line("\nFound by %s. Intervals are Clopper-Pearson.", prose(version, mostCell))
}
