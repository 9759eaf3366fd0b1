package soak

import (
	"maps"
	"slices"

	"heisen/stress/run"
)

// warmPairs are the first pairs of two programs in turn that are plain: the budget of holds is measured against them.
const warmPairs = 5

// QuestionVersion is raised when a Question of before could be misread.
const QuestionVersion = 1

// Question is what a soak is to find out: all that its campaign keeps beside the journal.
type Question struct {
	Version int `json:"version"`
	Options
	// Against is the baseline and From the campaign it is of; nil and "" where there is none.
	Against *Baseline `json:"against,omitempty"`
	From    string    `json:"from,omitempty"`
	// Seeds are those of the baseline's attempts, by plan, in their order.
	Seeds map[string][]uint64 `json:"seeds,omitempty"`
	// Before is the old program, where two are run in turn; the campaign's own command is the new one.
	Before *run.Command `json:"before,omitempty"`
	// BeforeIdentity is what that program was: a resume must run the same.
	BeforeIdentity run.Identity `json:"before_identity,omitzero"`
	// Revisions say where both programs come from, where they are two states of one repository.
	Revisions *Revisions `json:"revisions,omitempty"`
	// Strategies disturb pairs of attempts in turn, beside pairs that are left alone.
	Strategies []string `json:"strategies,omitempty"`
}

// Revisions are two states of a git repository.
type Revisions struct {
	// Repository is the top of the user's checkout and Folder where below it the command runs.
	Repository string   `json:"repository"`
	Folder     string   `json:"folder"`
	Before     Revision `json:"before"`
	After      Revision `json:"after"`
	Build      string   `json:"build,omitempty"`
}

// Revision is one: as the user named it, and its commit.
type Revision struct {
	Name   string `json:"name"`
	Commit string `json:"commit"`
}

// Course says what each attempt of a soak is given. It is a function of the attempt's number alone and safe for
// concurrent use.
type Course struct {
	names  []string
	table  []uint8 // by attempt, from 0 on again after its length; where two programs are run in turn, by pair
	seeds  map[int64]uint64
	inTurn bool
	seed   uint64
}

// Course plans the attempts of a soak whose campaign has this seed. It is nil where the hunt's own mix is to draw.
func (q Question) Course(seed uint64) *Course {
	switch {
	case q.Before != nil:
		c := &Course{names: append([]string{plain}, q.Strategies...), inTurn: true, seed: seed}
		for i := range c.names {
			c.table = append(c.table, uint8(i))
		}
		return c
	case q.Against != nil:
		return against(*q.Against, q.Options, q.Seeds)
	}
	return nil
}

// against spreads attempts over the baseline's plans as those of the baseline were; where one plan is the focus, over it and
// the others that failed before so that all have what they need at about the same time. The first attempts of each plan
// get the seeds the baseline's had: strategies draw by them, so that the schedules that failed come again, each as
// often as it did. After that seeds are fresh, because the same few again and again would say nothing of others.
func against(b Baseline, o Options, seeds map[string][]uint64) *Course {
	c := &Course{seeds: map[int64]uint64{}}
	s, length, given := b.Schedule(), b.total().Attempts, map[string]int{}
	if t := Against(b, o); len(t.needs) > 0 {
		weights := maps.Clone(t.needs)
		weights[b.Focus] = t.alone()
		s, length = scheduleOf(weights), 0
		for _, n := range weights {
			length += n
		}
	}
	for seq := int64(1); seq <= length; seq++ {
		name := s.Next()
		c.table = append(c.table, c.index(name))
		if n := given[name]; n < len(seeds[name]) {
			c.seeds[seq] = seeds[name][n]
		}
		given[name]++
	}
	return c
}

// index is where a plan stands in names; it is put there if it is new.
func (c *Course) index(name string) uint8 {
	i := slices.Index(c.names, name)
	if i < 0 {
		i = len(c.names)
		c.names = append(c.names, name)
	}
	return uint8(i)
}

// Strategy is the plan of an attempt.
func (c *Course) Strategy(seq int64) string {
	n := seq - 1
	if c.inTurn {
		if n = n/2 - warmPairs; n < 0 {
			return plain
		}
	}
	return c.names[c.table[n%int64(len(c.table))]]
}

// Pair is the number of an attempt's pair, from 1, and the side it is on; 0 and After where programs are not run in turn.
// Which side starts first is drawn for each pair.
func (c *Course) Pair(seq int64) (pair int64, side Side) {
	if c == nil || !c.inTurn {
		return 0, After
	}
	pair = (seq + 1) / 2
	if first := run.SeedFor(c.seed, -pair)&1 == 0; first == (seq%2 == 1) {
		return pair, Before
	}
	return pair, After
}

// Seed is the seed of an attempt, where it is not the one it would have anyway.
func (c *Course) Seed(seq int64) (seed uint64, ok bool) {
	if c.inTurn {
		return run.SeedFor(c.seed, (seq+1)/2), true
	}
	seed, ok = c.seeds[seq]
	return seed, ok
}
