package tally

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"

	"heisen/stress/run"
	"heisen/stress/stats"
)

// Bounds on the census. What is beyond is counted, not named.
const (
	// maxVariants is how many variants are listed with counts of their own, and lateVariants how many more
	// of those that failed.
	maxVariants  = 2000
	lateVariants = 1000
)

// Variant is one interleaving and how often it came, in the latest epoch.
type Variant struct {
	ID   string `json:"id"`
	Pass int64  `json:"pass"`
	Fail int64  `json:"fail"`
	// First is the first attempt seen with it.
	First int64 `json:"first"`
	// Exemplar is the bundle of an attempt with it, relative to the campaign's folder; empty for none.
	Exemplar string `json:"exemplar,omitempty"`
}

// Count is how many judged attempts had it.
func (v Variant) Count() int64 { return v.Pass + v.Fail }

// Census counts the attempts of the latest epoch by variant. Its size does not grow with their number:
// the variants met first, all common ones among them, are listed; of the others only a sample by their
// names is watched, from which the number of variants and of those seen once is still known.
type Census struct {
	Epoch int `json:"epoch"`
	// Attempts are the judged attempts with a variant, Without those where none was recorded.
	Attempts int64 `json:"attempts"`
	Without  int64 `json:"without,omitempty"`
	// Unlisted are those of variants beyond the list.
	UnlistedPass int64      `json:"unlisted_pass,omitempty"`
	UnlistedFail int64      `json:"unlisted_fail,omitempty"`
	Listed       []*Variant `json:"listed,omitempty"`
	// Growth is the number of variants when there were 1, 2, 4, ... attempts.
	Growth []int64 `json:"growth,omitempty"`
	Watch  watch   `json:"watch"`

	index map[string]*Variant
}

// add counts one attempt.
func (c *Census) add(e run.Finished) {
	if !e.Outcome.Judged() {
		return
	}
	if e.Epoch > c.Epoch {
		*c = Census{Epoch: e.Epoch}
	}
	switch {
	case e.Epoch < c.Epoch:
		return
	case e.Variant == "":
		c.Without++
		return
	}
	c.Attempts++
	c.Watch.add(nameHash(e.Variant))
	if v := c.variant(e); v != nil {
		v.count(e)
	} else if e.Outcome.Failed() {
		c.UnlistedFail++
	} else {
		c.UnlistedPass++
	}
	if c.Attempts == 1<<len(c.Growth) {
		c.Growth = append(c.Growth, c.Distinct())
	}
}

func (v *Variant) count(e run.Finished) {
	if e.Outcome.Failed() {
		v.Fail++
	} else {
		v.Pass++
	}
	v.First = min(v.First, e.Seq)
	if v.Exemplar == "" && e.Filed != nil {
		v.Exemplar = e.Filed.Bundle
	}
}

// variant finds or lists an attempt's variant; nil where the list is full. A variant that was not listed when
// it first came may be so when it first fails: its passes from before are among the unlisted.
func (c *Census) variant(e run.Finished) *Variant {
	if c.index == nil {
		c.index = make(map[string]*Variant, len(c.Listed))
		for _, v := range c.Listed {
			c.index[v.ID] = v
		}
	}
	if v := c.index[e.Variant]; v != nil {
		return v
	}
	room := maxVariants
	if e.Outcome.Failed() {
		room += lateVariants
	}
	if len(c.Listed) >= room || c.UnlistedPass+c.UnlistedFail > 0 && !e.Outcome.Failed() {
		return nil
	}
	v := &Variant{ID: e.Variant, First: e.Seq}
	c.Listed, c.index[e.Variant] = append(c.Listed, v), v
	return v
}

// Distinct is how many variants there were: exact while Exact says so, else estimated.
func (c *Census) Distinct() int64 { return c.Watch.scale() * int64(len(c.Watch.seen)) }

// Exact tells that every variant was watched.
func (c *Census) Exact() bool { return c.Watch.Level == 0 }

// Unseen is the estimated share of attempts whose variant was never seen, with its interval.
func (c *Census) Unseen() (share float64, in stats.Interval) {
	once, twice := c.Watch.onceTwice()
	return stats.Unseen(c.Attempts, once, twice, float64(c.Watch.scale()))
}

// Half is how many of the attempts counted last, about half of all, brought how many new variants; ok is
// false before there are 8 attempts.
func (c *Census) Half() (attempts, fresh int64, ok bool) {
	if c.Attempts < 8 {
		return 0, 0, false
	}
	n := len(c.Growth) - 1
	if c.Attempts < 3<<(n-1) {
		n-- // less than half of it came since
	}
	return c.Attempts - 1<<n, max(c.Distinct()-c.Growth[n], 0), true
}

// Variants lists the listed variants, the most frequent first.
func (c *Census) Variants() []Variant {
	list := make([]Variant, len(c.Listed))
	for i, v := range c.Listed {
		list[i] = *v
	}
	slices.SortStableFunc(list, func(a, b Variant) int {
		return cmp.Or(cmp.Compare(b.Count(), a.Count()), cmp.Compare(a.First, b.First))
	})
	return list
}

// nameHash is a variant's place among all names. Names are hexadecimal and even already; a journal may hold
// others.
func nameHash(id string) uint64 {
	if n, err := strconv.ParseUint(id, 16, 64); err == nil && len(id) == 16 {
		return n
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()
}
