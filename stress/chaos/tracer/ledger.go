package tracer

import (
	"time"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

// ledger is what the tracer will report: everything in it was really done or seen.
type ledger struct {
	maxPoints    int
	maxDecisions int

	stops, planned, skipped int64
	walks, steps            int64
	made                    int64
	total, longest          time.Duration

	threads []run.Thread
	points  []seen
	dropped int64
	holds   []chaos.Made
	active  []*held // in progress and among holds
	notes   []string
}

// seen is a point in little room; it becomes a run.Point at the end.
type seen struct {
	at     time.Duration
	thread int32
	point  point
	args   [2]uint64
	site   string
}

// note keeps a sentence for the user, once.
func (g *ledger) note(text string) {
	for _, n := range g.notes {
		if n == text {
			return
		}
	}
	g.notes = append(g.notes, text)
}

// maxThreads bounds what is told of threads; what they did is counted all the same.
const maxThreads = 1 << 16

func (g *ledger) born(t *task, parent int, now time.Duration) {
	t.index = -1
	if len(g.threads) >= maxThreads {
		return
	}
	t.index = len(g.threads)
	g.threads = append(g.threads, run.Thread{PID: t.proc.pid, TID: t.tid, Parent: parent, Created: now,
		FirstRun: run.NotSeen, Exited: run.NotSeen})
}

func (g *ledger) died(t *task, now time.Duration) {
	if t.index >= 0 {
		g.threads[t.index].Exited = now
	}
}

// named notes a thread's last name, as it ends.
func (g *ledger) named(t *task) {
	if t.index >= 0 && g.maxPoints > 0 {
		g.threads[t.index].Name = threadName(t)
	}
}

// passed counts a point, for the record and for the holds in progress.
func (g *ledger) passed(t *task, p point, now time.Duration) {
	for _, h := range g.active {
		if h.task != t {
			m := &g.holds[h.made]
			if m.Meanwhile == nil {
				m.Meanwhile = map[string]int64{}
			}
			m.Meanwhile[t.path]++
		}
	}
	if len(g.points) >= g.maxPoints || t.index < 0 {
		if g.maxPoints > 0 {
			g.dropped++
		}
		return
	}
	s := seen{at: now, thread: int32(t.index), point: p, site: t.last.site}
	if p.kind() == signalled {
		s.args[0] = uint64(t.signal)
	} else if c := t.doing(); c.kind != kindNone {
		s.args = [2]uint64{c.args[0], c.args[1]}
	}
	g.points = append(g.points, s)
}

// hold notes a hold that begins and gives its index among those that are told, or -1.
func (g *ledger) hold(m func() chaos.Made) int {
	g.made++
	if len(g.holds) >= g.maxDecisions {
		return -1
	}
	g.holds = append(g.holds, m())
	return len(g.holds) - 1
}

// stop notes a thread that stopped at a breakpoint and went on at once. That delays it as a short hold does, and may be
// all that a failure needs, so it is one: counted, and made again by a replay. Room is left for those that were drawn.
func (g *ledger) stop(from chaos.Address, tid int, at, long time.Duration) {
	long = max(long, time.Nanosecond) // a hold of nothing is none
	g.planned++
	g.made++
	g.total += long
	if len(g.holds) >= g.maxDecisions/2 {
		return
	}
	g.holds = append(g.holds, chaos.Made{Decision: chaos.Decision{Address: from, Hold: long}, At: at, TID: tid, Held: long})
}

// begin makes a hold count what others do meanwhile.
func (g *ledger) begin(h *held) {
	if h.made >= 0 {
		g.active = append(g.active, h)
	}
}

func (g *ledger) released(h *held, now time.Duration) {
	long := now - h.from
	g.total += long
	g.longest = max(g.longest, long)
	if h.made < 0 {
		return
	}
	m := &g.holds[h.made]
	m.Held, m.CutOff = long, long < m.Hold
	if h.park {
		m.Hold, m.CutOff = long, false // its end was not decided beforehand; a replay holds as long
	}
	for i, a := range g.active {
		if a == h {
			g.active = append(g.active[:i], g.active[i+1:]...)
			return
		}
	}
}

// chaos is the sums.
func (g *ledger) chaos(strategy string) run.Chaos {
	return run.Chaos{Strategy: strategy, Planned: g.planned, Made: g.made, Skipped: g.skipped,
		Held: g.total.Microseconds(), Longest: g.longest.Microseconds(), Stops: g.stops + g.steps}
}

// trace gives the points as the rest of heisen knows them.
func (g *ledger) trace() []run.Point {
	points := make([]run.Point, 0, len(g.points))
	for _, s := range g.points {
		p := run.Point{At: s.at, Thread: int(s.thread), Source: run.FromTracer, Name: s.point.String(), Fields: fields(s.point.kind(), s.args)}
		if s.site != "" {
			p.Fields = []string{s.site}
		}
		points = append(points, p)
	}
	return points
}
