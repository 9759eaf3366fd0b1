package interleave

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// identitiesOf lists the identities a key names.
func identitiesOf(key string) []string {
	var list []string
	for {
		_, rest, found := strings.Cut(key, opens)
		if !found {
			return list
		}
		birth, after, _ := strings.Cut(rest, closes)
		list, key = append(list, birth), after
	}
}

// called is an identity by its number and, of a thread, its name.
func (c *comparison) called(birth string) string {
	text := shown(birth, c.numbers)
	if t := c.threads[birth]; t != nil && t.Name != "" && birth != mainKey {
		return text + " " + strconv.Quote(t.Name)
	}
	return text
}

// introduced is a thread with its creator.
func (c *comparison) introduced(key string) string {
	t := c.threads[key]
	if t == nil || t.Creator < 0 {
		return c.called(key)
	}
	for _, f := range []*Form{c.pass, c.fail} {
		for _, own := range f.Threads {
			if own.Key == key && own.Creator >= 0 && own.Creator < len(f.Threads) {
				return c.called(key) + ", created by " + shown(f.Threads[own.Creator].Key, c.numbers) + ","
			}
		}
	}
	return c.called(key)
}

// ordinal is a number as people count: first, second, 11th.
func ordinal(n int) string {
	words := []string{"zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n < len(words) {
		return words[n]
	}
	suffix := "th"
	if tens := n / 10 % 10; tens != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// phrase is an event in a sentence: main's second list_all, the start of @2, the end of main.
func (c *comparison) phrase(m *moment) string {
	who, what, _ := strings.Cut(m.event.Key, closes+" ")
	if m.thread == "" || what == "" {
		text := strconv.Quote(render(m.event.Key, c.numbers))
		if m.time > 1 {
			return "the " + ordinal(m.time) + " " + text
		}
		return text
	}
	owner := shown(strings.TrimPrefix(who, opens), c.numbers)
	what = render(what, c.numbers)
	switch {
	case m.event.Starts >= 0:
		return owner + "'s first moment on a CPU"
	case what == "ends":
		return owner + "'s end"
	}
	if made, ok := strings.CutPrefix(what, "creates "); ok {
		return owner + "'s creation of " + made
	}
	if m.time > 1 || c.again(m.event.Key) {
		return owner + "'s " + ordinal(m.time) + " " + what
	}
	return owner + "'s " + what
}

// again tells that an event comes more than once in the passing attempt.
func (c *comparison) again(key string) bool {
	n := 0
	for _, e := range c.pass.Events {
		if bare(e) == key {
			n++
		}
	}
	return n > 1
}

// sentence says first what a test has shown, and else what one failure looks like.
func (c *comparison) sentence() string {
	d := &c.d
	var pair, start = 1.0, 1.0
	if len(d.Pairs) > 0 {
		pair = d.Pairs[0].P
	}
	if len(d.LateStarts) > 0 {
		start = d.LateStarts[0].P
	}
	switch {
	case len(d.Pairs) > 0 && (pair <= start || d.Pairs[0].Fail == 0 && d.Pairs[0].Pass == d.Pairs[0].Passes):
		return c.pairSentence(d.Pairs[0])
	case len(d.LateStarts) > 0:
		return c.lateSentence(d.LateStarts[0])
	}
	return c.description()
}

func (c *comparison) pairSentence(p Pair) string {
	who := c.introduced(p.first.thread)
	switch starts := p.first.event.Starts >= 0 || c.firstOfAll(p.first); {
	case starts && p.Fail == 0:
		return fmt.Sprintf("%s never ran before %s in %d of %d %s; in %d of %d %s it did",
			who, p.Second, p.Failures, p.Failures, c.names.failures, p.Pass, p.Passes, c.names.passes)
	case starts:
		return fmt.Sprintf("%s ran before %s in %s", who, p.Second, c.shares(p))
	case p.first.thread != "":
		return fmt.Sprintf("%s (%s) came before %s in %s", p.First, strings.TrimSuffix(who, ","), p.Second, c.shares(p))
	}
	return fmt.Sprintf("%s came before %s in %s", p.First, p.Second, c.shares(p))
}

// shares is in how many attempts of either side an order was so.
func (c *comparison) shares(p Pair) string {
	return fmt.Sprintf("%d of %d %s, and in %d of %d %s", p.Pass, p.Passes, c.names.passes, p.Fail, p.Failures, c.names.failures)
}

// firstOfAll tells that an event is all that is known of its thread's start: its first one, where no
// scheduler's record says when it first ran.
func (c *comparison) firstOfAll(m *moment) bool {
	if m.thread == "" || m.thread == mainKey || m.time > 1 {
		return false
	}
	for _, e := range c.pass.Events {
		if e.Starts >= 0 && c.pass.Threads[e.Starts].Key == m.thread {
			return false
		}
		if e.Thread >= 0 && c.pass.Threads[e.Thread].Key == m.thread {
			return bare(e) == m.event.Key
		}
	}
	return false
}

func (c *comparison) lateSentence(l Late) string {
	who := c.introduced(l.key)
	within := fmt.Sprintf("in %d of %d %s it ran sooner than in any of the %s, within %s at the median", l.Within, l.Passes, c.names.passes, c.names.failures, rounded(l.Pass))
	if l.Within == l.Passes {
		within = fmt.Sprintf("in %d of %d %s it ran within %s", l.Within, l.Passes, c.names.passes, rounded(l.PassMost))
	}
	if l.Never == l.Failures {
		return fmt.Sprintf("%s never ran in %d of %d %s; %s", who, l.Never, l.Failures, c.names.failures, within)
	}
	return fmt.Sprintf("%s first ran %s after it was created (the median of %d %s); %s", who, rounded(l.Fail), l.Failures, c.names.failures, within)
}

// description is what one failure looks like beside the nearest passing attempt. It claims no cause.
func (c *comparison) description() string {
	d := &c.d
	why := fmt.Sprintf("no order separates them (%d %s, %d %s, %d orders of two events looked at)", d.Failures, c.names.failures, d.Passes, c.names.passes, d.Orders)
	if d.Failures == 1 || d.Passes == 1 {
		why = "one attempt against another shows no cause"
	}
	switch {
	case len(c.pass.Events)+len(c.fail.Events) == 0:
		return "nothing was recorded of the order"
	case d.Number == 0:
		return "the same order in both: " + why
	case len(d.NeverRan) > 0:
		return fmt.Sprintf("%s never ran there; the first difference is event %d of the %s attempt, %q: %s", d.NeverRan[0], d.Number, c.names.passing, d.Event, why)
	case d.Event == "":
		return fmt.Sprintf("the %s attempt goes on where the %s one ends, after %d events: %s", c.names.failing, c.names.passing, d.Number-1, why)
	}
	return fmt.Sprintf("the first difference is event %d of the %s attempt, %q: %s", d.Number, c.names.passing, d.Event, why)
}

// rounded leaves three digits of a time.
func rounded(t time.Duration) time.Duration {
	unit := time.Duration(1)
	for t/unit >= 1000 {
		unit *= 10
	}
	return t.Round(unit)
}
