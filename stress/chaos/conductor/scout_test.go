package conductor

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
	"heisen/stress/chaos/code"
)

// ground is a program with so many places in one function, four bytes apart.
func ground(n int) *code.Program {
	p := &code.Program{Path: "/nowhere/p", IsGo: true}
	for i := range n {
		p.Sites = append(p.Sites, code.Site{Symbol: "f", Delta: uint64(4 * i), Offset: uint64(0x1000 + 4*i)})
	}
	return p
}

func (s *scout) plan(seed uint64) chaos.Plan {
	p := chaos.Plan{Seed: seed, Strategy: chaos.AtBreakpoints}
	s.arrange(&p)
	return p
}

func TestEveryPlaceIsTriedBeforeAnyTwice(t *testing.T) {
	s := newScout(ground(40), 7)
	seen := map[string]int{}
	for seed := range uint64(10) {
		p := s.plan(seed)
		require.Contains(t, counts, len(p.Breakpoints))
		require.Equal(t, "/nowhere/p", p.Program)
		require.True(t, p.TrapsUnblocked)
		for _, b := range p.Breakpoints {
			seen[b.Site]++
		}
	}
	require.Len(t, seen, 40)
}

func TestPlacesThatSeveralThreadsMeetAtAreDrawnMore(t *testing.T) {
	s := newScout(ground(400), 7)
	shared, alone := "f+0x40", "f+0x80"
	s.learn(&chaos.Plan{Breakpoints: []chaos.Breakpoint{{Site: shared + " (x.c:3)"}, {Site: alone}, {Site: "gone+0x1"}}},
		&chaos.Report{Reached: []chaos.Reached{{Times: 9, Threads: 2}, {Times: 1, Threads: 1}, {Times: 1, Threads: 1}}})
	count := map[string]int{}
	for seed := range uint64(300) {
		p := s.plan(seed)
		var names []string
		for _, b := range p.Breakpoints {
			names = append(names, b.Site)
			count[b.Site]++
		}
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names), "one place twice")
	}
	require.Greater(t, count[shared], 100)
	require.Greater(t, count[alone], 100)
	require.Greater(t, len(count), 200, "the rest are still tried")
}

func TestAProgramOfFewPlacesHasFewBreakpoints(t *testing.T) {
	require.Len(t, newScout(ground(2), 1).plan(1).Breakpoints, 2)
}

func TestRecordedBreakpointsAreFoundInAnotherBuild(t *testing.T) {
	s := newScout(ground(10), 1)
	plan := chaos.Plan{Replay: true, Program: "/old/p"}
	for _, name := range []string{"f+0x8 (x.c:2)", "f+0x9", "g+0x4"} {
		plan.Breakpoints = append(plan.Breakpoints, chaos.Breakpoint{Site: name, Offset: 1})
	}
	require.Equal(t, []string{"g+0x4"}, s.translate(&plan))
	require.Equal(t, "/nowhere/p", plan.Program)
	require.Equal(t, []chaos.Breakpoint{{Site: "f+0x8 (x.c:2)", Offset: 0x1008}, {Site: "f+0x9", Offset: 0x1008}}, plan.Breakpoints,
		"decisions name the old place, and the offset is the new one's")
}

func TestReportsOfBreakpointsNobodyAskedForAreRefused(t *testing.T) {
	r := &chaos.Report{Version: chaos.PlanVersion, Reached: make([]chaos.Reached, 2)}
	require.Error(t, checkReport(r, &chaos.Plan{Breakpoints: make([]chaos.Breakpoint, 1)}))
	require.NoError(t, checkReport(r, &chaos.Plan{Breakpoints: make([]chaos.Breakpoint, 2)}), fmt.Sprint(r))
}
