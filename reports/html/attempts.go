package html

import (
	"cmp"
	"fmt"
	"slices"

	"heisen/reports/history"
	"heisen/reports/human"
)

// attempts is what a reader chooses among: all attempts by their kinds, counted in stretches of time, and the failing
// ones that are listed.
type attempts struct {
	Outcomes, Signatures, Strategies []choice
	Data                             kindsData
	Rows                             []attemptRow
	// Left says what is counted and not listed; empty for nothing.
	Left string
}

// choice is an entry of a filter: what it stands for in the data, and how it reads.
type choice struct{ Value, Text string }

// kindsData is what the filter counts with. Its script draws from it and knows nothing else.
type kindsData struct {
	// Bins are how many stretches of time there are, each of Width microseconds.
	Bins  int        `json:"bins"`
	Width int64      `json:"width"`
	Kinds []kindData `json:"kinds"`
}

type kindData struct {
	Outcome   string `json:"outcome"`
	Signature string `json:"signature"`
	Strategy  string `json:"strategy"`
	Failed    bool   `json:"failed"`
	// At are stretches and counts in turn, for those with any.
	At []int64 `json:"at"`
}

// attemptRow is one failing attempt.
type attemptRow struct {
	Seq                int64
	Kind               int
	After, Took        string
	Outcome, Signature string
	Strategy, Bundle   string
}

// plain is how an attempt that was left alone reads where strategies are.
const plain = "plain, left alone"

// newAttempts is nil where no attempt has finished.
func newAttempts(p Page) *attempts {
	h := p.History
	if h == nil || len(h.Kinds) == 0 {
		return nil
	}
	titles := map[string]string{}
	for _, s := range p.Report.Signatures {
		titles[s.ID] = cmp.Or(s.Title, s.ID)
	}
	a := &attempts{Data: kindsData{Bins: len(h.Bins), Width: h.Width.Microseconds()}}
	for i, k := range h.Kinds {
		d := kindData{Outcome: clean(string(k.Outcome)), Signature: clean(k.Signature), Strategy: clean(k.Strategy), Failed: k.Outcome.Failed(), At: []int64{}}
		for at, b := range h.Bins {
			if n := b.ByKind[i]; n > 0 {
				d.At = append(d.At, int64(at), n)
			}
		}
		a.Data.Kinds = append(a.Data.Kinds, d)
	}
	a.Outcomes = chosen(h.Kinds, func(k history.Kind) (string, string) { return string(k.Outcome), k.Outcome.String() })
	a.Signatures = chosen(h.Kinds, func(k history.Kind) (string, string) { return k.Signature, title(titles, k) })
	a.Strategies = chosen(h.Kinds, func(k history.Kind) (string, string) { return k.Strategy, cmp.Or(k.Strategy, plain) })
	a.rows(h, titles)
	return a
}

// mostChoices bounds a list to choose from.
const mostChoices = 100

// chosen lists what there is to choose, in the order in which it was met.
func chosen(kinds []history.Kind, of func(history.Kind) (value, text string)) []choice {
	var list []choice
	for _, k := range kinds {
		value, text := of(k)
		c := choice{clean(value), shorten(clean(text))}
		if !slices.Contains(list, c) && len(list) < mostChoices {
			list = append(list, c)
		}
	}
	return list
}

func title(titles map[string]string, k history.Kind) string {
	switch {
	case k.Signature != "":
		return cmp.Or(titles[k.Signature], k.Signature)
	case k.Outcome.Failed():
		return "failures without a signature"
	}
	return "no failure"
}

// shorten cuts a text to what a list has room for.
func shorten(s string) string {
	const most = 90
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func (a *attempts) rows(h *history.History, titles map[string]string) {
	failed := int64(0)
	for _, b := range h.Bins {
		failed += b.Failed
	}
	for _, f := range h.Failures {
		k := h.Kinds[f.Kind]
		a.Rows = append(a.Rows, attemptRow{Seq: f.Seq, Kind: f.Kind, After: human.Elapsed(f.At), Took: human.Duration(f.Wall),
			Outcome: k.Outcome.String(), Signature: shorten(clean(title(titles, k))), Strategy: clean(k.Strategy), Bundle: clean(f.Bundle)})
	}
	if rest := failed - int64(len(a.Rows)); rest > 0 {
		a.Left = fmt.Sprintf("the first %s of %s failing attempts are listed; the counts and the picture are of all", human.Count(int64(len(a.Rows))), human.Count(failed))
	}
}
