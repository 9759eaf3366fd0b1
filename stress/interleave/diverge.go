package interleave

import (
	"cmp"
	"slices"

	"heisen/stress/run"
)

// Divergence says where failing attempts part from passing ones.
type Divergence struct {
	// Sentence is the finding in words. Separated tells that it is one: an order or a late start that
	// separates failing from passing attempts by a test. Otherwise it only describes one failure.
	Sentence  string `json:"sentence"`
	Separated bool   `json:"separated"`
	// Failures and Passes are how many attempts were compared, Orders how many orders of two events were
	// looked at.
	Failures int `json:"failures"`
	Passes   int `json:"passes"`
	Orders   int `json:"orders"`
	// Failing and Passing are the variants set side by side: the most frequent failing one, and the passing
	// one nearest to it.
	Failing string `json:"failing_variant"`
	Passing string `json:"passing_variant"`
	// Event is the passing attempt's event at which they part, Number its place from 1; empty and 0 where
	// both have the same order.
	Event  string `json:"event,omitempty"`
	Number int    `json:"event_number,omitempty"`
	// Missing and Extra are events that only the passing, only the failing attempt has; Early and Late came
	// elsewhere in the failing one.
	Missing []string `json:"missing,omitempty"`
	Extra   []string `json:"extra,omitempty"`
	Early   []string `json:"early,omitempty"`
	Late    []string `json:"late,omitempty"`
	// NeverRan are the threads, and the identities of the passing attempt, of which the failing one has no event;
	// threads that were created and never came onto a CPU among them.
	NeverRan []string `json:"never_ran,omitempty"`
	// Pairs are the orders that separate best, LateStarts the threads that began late.
	Pairs      []Pair `json:"pairs,omitempty"`
	LateStarts []Late `json:"late_starts,omitempty"`
	// Columns are both attempts side by side.
	Columns []Row `json:"columns,omitempty"`
}

// Row is one line of the two columns; a side is empty where the attempt has no event there.
type Row struct {
	Pass string `json:"pass,omitempty"`
	Fail string `json:"fail,omitempty"`
}

// Diverge compares the failing attempts of a signature, or all for nil, with the passing ones. It returns nil
// where there is none of either.
func (s *Sample) Diverge(signature *string) *Divergence {
	var fails []*Observed
	for i := range s.Fails {
		if signature == nil || s.Fails[i].Signature == *signature {
			fails = append(fails, &s.Fails[i])
		}
	}
	passes := make([]*Observed, len(s.Passes))
	for i := range s.Passes {
		passes[i] = &s.Passes[i]
	}
	return diverge(fails, passes)
}

// Nearest compares one attempt, such as a failure from a bundle, with the passing ones: it describes, and
// tests nothing.
func (s *Sample) Nearest(f Form) *Divergence {
	passes := make([]*Observed, len(s.Passes))
	for i := range s.Passes {
		passes[i] = &s.Passes[i]
	}
	return diverge([]*Observed{{Failed: true, Form: f}}, passes)
}

// Compare compares the attempts of one side, which take the passing ones' place, with those of the other; nil
// where a side has none with a recorded order.
func Compare(a, b []Form) *Divergence {
	observed := func(forms []Form, failed bool) (list []*Observed) {
		for _, f := range forms {
			if f.Variant != "" {
				list = append(list, &Observed{Failed: failed, Form: f})
			}
		}
		return list
	}
	left, right := observed(a, false), observed(b, true)
	if len(left) == 0 || len(right) == 0 {
		return nil
	}
	return divergeAs(sides{"attempts of the first", "attempts of the second", "first", "second"}, right, left)
}

// Between compares one attempt, which takes the passing one's place, with another.
func Between(a, b Form) *Divergence {
	return diverge([]*Observed{{Failed: true, Form: b}}, []*Observed{{Form: a}})
}

// sides are what the two sides of a comparison are called.
type sides struct{ passes, failures, passing, failing string }

func diverge(fails, passes []*Observed) *Divergence {
	return divergeAs(sides{"passes", "failures", "passing", "failing"}, fails, passes)
}

func divergeAs(names sides, fails, passes []*Observed) *Divergence {
	if len(fails) == 0 || len(passes) == 0 {
		return nil
	}
	c := comparison{names: names, fails: fails, passes: passes}
	c.sideBySide()
	all := append(slices.Clone(passes), fails...)
	d := &c.d
	d.Failures, d.Passes = len(fails), len(passes)
	var found []Pair
	if len(fails) > 1 && len(passes) > 1 {
		found, d.Orders = pairs(moments(all), all)
		d.LateStarts = late(all)
	}
	for i := range d.LateStarts {
		d.LateStarts[i].Thread = c.called(d.LateStarts[i].key)
	}
	for _, p := range found {
		if p.P > Significant || len(d.Pairs) == mostPairs {
			break
		}
		p.First, p.Second = c.phrase(p.first), c.phrase(p.second)
		d.Pairs = append(d.Pairs, p)
	}
	d.Separated = len(d.Pairs) > 0 || len(d.LateStarts) > 0
	d.Sentence = c.sentence()
	return d
}

// comparison is a Divergence in the making.
type comparison struct {
	names         sides
	fails, passes []*Observed
	pass, fail    *Form // side by side
	numbers       map[string]int
	threads       map[string]*Thread
	rest          []change // from where they part
	d             Divergence
}

// sideBySide sets the most frequent failing variant against the passing variant nearest to it: the one with the
// longest common subsequence for the length of both, and of those the most frequent.
func (c *comparison) sideBySide() {
	texts := interner{}
	c.fail = &byVariant(c.fails)[0].form.Form
	sequence := texts.sequence(c.fail)
	best := -1.0
	var candidate []int32
	for _, v := range byVariant(c.passes) {
		other := texts.sequence(&v.form.Form)
		near := 1.0
		if n := len(sequence) + len(other); n > 0 {
			near = 2 * float64(commonLength(other, sequence)) / float64(n)
		}
		if near > best {
			best, c.pass, candidate = near, &v.form.Form, other
		}
	}
	c.d.Failing, c.d.Passing = c.fail.Variant, c.pass.Variant
	c.pass, c.fail = withoutSymptoms(c.pass, c.fail), withoutSymptoms(c.fail, c.pass)
	c.nameAll()
	candidate, sequence = texts.sequence(c.pass), texts.sequence(c.fail)
	steps, _ := align(candidate, sequence)
	c.describe(steps, candidate, sequence)
}

// withoutSymptoms leaves out unmarked lines that the other attempt did not print: most are how a failure shows, a
// traceback or a runner's word for it, and would stand in the place of where the orders part.
func withoutSymptoms(f, other *Form) *Form {
	printed := map[string]bool{}
	for _, e := range other.Events {
		printed[e.Key] = true
	}
	rest := *f
	rest.Events = slices.DeleteFunc(slices.Clone(f.Events), func(e Event) bool { return e.Source == run.FromLine && !printed[e.Key] })
	return &rest
}

type variant struct {
	form  *Observed
	count int
}

// byVariant groups attempts, the most frequent variant first; of equals, the one met first.
func byVariant(list []*Observed) []variant {
	place := map[string]int{}
	var all []variant
	for _, o := range list {
		i, ok := place[o.Form.Variant]
		if !ok {
			i = len(all)
			place[o.Form.Variant] = i
			all = append(all, variant{form: o})
		}
		all[i].count++
	}
	slices.SortStableFunc(all, func(a, b variant) int { return cmp.Compare(b.count, a.count) })
	return all
}

// nameAll makes both columns speak of the same identities by the same numbers: the passing attempt's, and
// after them those that only others have.
func (c *comparison) nameAll() {
	c.numbers, c.threads = map[string]int{}, map[string]*Thread{}
	forms := []*Form{c.pass, c.fail}
	for _, o := range append(slices.Clone(c.passes), c.fails...) {
		forms = append(forms, &o.Form)
	}
	for _, f := range forms {
		births := make([]string, 0, len(f.Numbers))
		for birth := range f.Numbers {
			if _, ok := c.numbers[birth]; !ok {
				births = append(births, birth)
			}
		}
		slices.SortFunc(births, func(a, b string) int { return cmp.Compare(f.Numbers[a], f.Numbers[b]) })
		for _, birth := range births {
			c.numbers[birth] = len(c.numbers) + 1
		}
		for i := range f.Threads {
			t := &f.Threads[i]
			if known := c.threads[t.Key]; known == nil || known.Name == "" {
				c.threads[t.Key] = t
			}
		}
	}
}

// describe fills in what differs between the two columns.
func (c *comparison) describe(steps []change, a, b []int32) {
	inA, inB := map[int32]int{}, map[int32]int{}
	for _, x := range a {
		inA[x]++
	}
	for _, x := range b {
		inB[x]++
	}
	d := &c.d
	moved := map[int32]int{} // where an event that only one side has here stood on the other
	for at, s := range steps {
		var row Row
		if s.a >= 0 {
			row.Pass = render(c.pass.Events[s.a].Key, c.numbers)
		}
		if s.b >= 0 {
			row.Fail = render(c.fail.Events[s.b].Key, c.numbers)
		}
		d.Columns = append(d.Columns, row)
		if (s.a < 0 || s.b < 0) && d.Number == 0 {
			c.rest = steps[at:]
			d.Number, d.Event = c.part(c.rest)
		}
		switch {
		case s.b < 0 && inB[a[s.a]] < inA[a[s.a]]:
			d.Missing = append(d.Missing, row.Pass)
		case s.b < 0 && moved[a[s.a]] < 0:
			d.Early = append(d.Early, row.Pass)
			moved[a[s.a]]++
		case s.b < 0:
			moved[a[s.a]]++
		case s.a < 0 && inA[b[s.b]] < inB[b[s.b]]:
			d.Extra = append(d.Extra, row.Fail)
		case s.a < 0 && moved[b[s.b]] > 0:
			d.Late = append(d.Late, row.Fail)
			moved[b[s.b]]--
		case s.a < 0:
			moved[b[s.b]]--
		}
	}
	c.neverRan()
}

// part is where the columns part: the place of the first event that is not in both, in the passing attempt's
// count, and that event.
func (c *comparison) part(rest []change) (int, string) {
	for _, s := range rest {
		if s.a >= 0 {
			return s.a + 1, render(c.pass.Events[s.a].Key, c.numbers)
		}
	}
	return len(c.pass.Events) + 1, "" // the failing one goes on where the passing one ended
}

// neverRan lists what the failing attempt has no event of.
func (c *comparison) neverRan() {
	ran, there := map[string]bool{}, map[string]bool{}
	for _, e := range c.fail.Events {
		for _, birth := range identitiesOf(e.Key) {
			there[birth] = true
		}
		if e.Thread >= 0 && e.Thread < len(c.fail.Threads) && (e.Starts < 0 || c.fail.inTime(e.Starts)) {
			ran[c.fail.Threads[e.Thread].Key] = true
		}
	}
	told := map[string]bool{}
	tell := func(birth string) {
		if !told[birth] && birth != mainKey {
			told[birth] = true
			c.d.NeverRan = append(c.d.NeverRan, c.called(birth))
		}
	}
	for _, t := range c.fail.Threads {
		if t.Created != run.NotSeen && t.Creator >= 0 && !ran[t.Key] {
			tell(t.Key)
		}
	}
	for _, e := range c.pass.Events {
		if e.Source == run.FromSched && e.Starts < 0 {
			continue
		}
		for _, birth := range identitiesOf(e.Key) {
			isThread := c.threads[birth] != nil
			if isThread && !ran[birth] || !isThread && !there[birth] {
				tell(birth)
			}
		}
	}
}

// inTime tells that a thread came onto a CPU before its creator had ended.
func (f *Form) inTime(thread int) bool {
	t := f.Threads[thread]
	if t.FirstRun == run.NotSeen {
		return false
	}
	if t.Creator < 0 || t.Creator >= len(f.Threads) {
		return true
	}
	end := f.Threads[t.Creator].Exited
	return end == run.NotSeen || t.FirstRun <= end
}
