package interleave

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"heisen/stress/run"
)

// Merge adds what another source tells of the same attempt to a trace, and returns it; either may be nil.
// Threads are one where their number is and their lifetimes allow it: the kernel gives a number again once
// its thread is gone. A source that does not know when a thread was created (the test itself) knows better
// what it is called. More is not changed.
func Merge(into, more *run.Trace) *run.Trace {
	if more == nil {
		return into
	}
	if into == nil {
		into = &run.Trace{}
	}
	place := mergeThreads(into, more)
	for _, p := range more.Points {
		if p.Thread >= 0 && p.Thread < len(place) {
			p.Thread = place[p.Thread]
		}
		into.Points = append(into.Points, p)
	}
	slices.SortStableFunc(into.Points, func(a, b run.Point) int { return cmp.Compare(a.At, b.At) })
	for source, n := range more.Dropped {
		if into.Dropped == nil {
			into.Dropped = map[run.Source]int64{}
		}
		into.Dropped[source] += n
	}
	if len(more.NotCollected) > 0 {
		if into.NotCollected == nil {
			into.NotCollected = map[run.Source]string{}
		}
		maps.Copy(into.NotCollected, more.NotCollected)
	}
	return into
}

// mergeThreads gives, for every thread of more, its index in into.
func mergeThreads(into, more *run.Trace) []int {
	known := map[int][]int{} // indices by tid
	for i, t := range into.Threads {
		known[t.TID] = append(known[t.TID], i)
	}
	met := firstPoints(more)
	place := make([]int, len(more.Threads))
	fresh := make([]bool, len(more.Threads))
	for i, t := range more.Threads {
		place[i] = same(into.Threads, known[t.TID], t, met[i])
		if fresh[i] = place[i] < 0; !fresh[i] {
			into.Threads[place[i]] = joined(into.Threads[place[i]], t)
			continue
		}
		place[i] = len(into.Threads)
		into.Threads = append(into.Threads, t)
	}
	for i, t := range more.Threads {
		mine := &into.Threads[place[i]]
		known := t.Parent >= 0 && t.Parent < len(place)
		switch {
		case known && (fresh[i] || mine.Parent < 0) && place[t.Parent] != place[i]:
			mine.Parent = place[t.Parent]
		case fresh[i]:
			mine.Parent = -1
		}
	}
	return place
}

// firstPoints is when each thread first did something, NotSeen where it did nothing.
func firstPoints(t *run.Trace) []time.Duration {
	met := make([]time.Duration, len(t.Threads))
	for i := range met {
		met[i] = run.NotSeen
	}
	for _, p := range t.Points {
		if p.Thread >= 0 && p.Thread < len(met) && met[p.Thread] == run.NotSeen {
			met[p.Thread] = p.At
		}
	}
	return met
}

// same finds the thread among those of its number that it is: the last one created by the time it was first
// seen, if that had not ended. -1 for none.
func same(threads []run.Thread, candidates []int, t run.Thread, met time.Duration) int {
	seen := met
	if t.Created != run.NotSeen {
		seen = t.Created
	}
	for _, i := range slices.Backward(candidates) {
		c := threads[i]
		switch {
		case c.PID != t.PID && c.PID != 0 && t.PID != 0:
		case seen == run.NotSeen, c.Created == run.NotSeen && c.Exited == run.NotSeen:
			return i
		case t.Created != run.NotSeen && c.Created != run.NotSeen && absolute(t.Created-c.Created) <= sameMoment:
			return i
		case c.Created <= seen && (c.Exited == run.NotSeen || seen <= c.Exited):
			return i
		}
	}
	return -1
}

// sameMoment is by how much two sources may differ about when a thread was created: the kernel's record is
// of the clone, a tracer is told a little later.
const sameMoment = 50 * time.Millisecond

func absolute(d time.Duration) time.Duration { return max(d, -d) }

// joined is one thread as two sources know it.
func joined(a, b run.Thread) run.Thread {
	named := b.Name != "" && (a.Name == "" || b.Created == run.NotSeen)
	if named {
		a.Name = b.Name
	}
	a.PID = cmp.Or(a.PID, b.PID)
	for _, pair := range []struct{ mine, other *time.Duration }{
		{&a.Created, &b.Created}, {&a.FirstRun, &b.FirstRun}, {&a.Exited, &b.Exited},
	} {
		if *pair.mine == run.NotSeen {
			*pair.mine = *pair.other
		}
	}
	return a
}
