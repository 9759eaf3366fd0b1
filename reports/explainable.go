package reports

import (
	"cmp"
	"maps"
	"slices"

	"heisen/stress/tally"
)

// explainable is the bundle that is the soonest cut down to a cause: of the strategy whose share of failures is
// surely the greatest (by its lower bound), because under the others a failure can be one that its holds had no part in; and of that one's the
// bundle with the fewest holds. "" where no failing attempt had any.
func explainable(t *tally.Tally, chaos *Chaos) string {
	if chaos == nil {
		return ""
	}
	surely := map[string]float64{}
	for _, s := range chaos.Strategies {
		surely[s.Name] = s.Rate.Low
	}
	best, share := tally.Held{}, 0.0
	for _, sig := range t.Signatures() {
		for _, strategy := range slices.Sorted(maps.Keys(sig.Held)) {
			held := sig.Held[strategy]
			if best.Bundle == "" || cmp.Or(cmp.Compare(surely[strategy], share), cmp.Compare(best.Holds, held.Holds)) > 0 {
				best, share = held, surely[strategy]
			}
		}
	}
	return best.Bundle
}
