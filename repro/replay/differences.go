package replay

import (
	"fmt"
	"maps"
	"slices"

	"heisen/repro/bundle"
	"heisen/repro/provenance"
	"heisen/stress/run"
)

// Differences names what is not as it was recorded, each in one line: the program and the files it is given, the
// machine, heisen. What either side does not know is no difference.
func Differences(m *bundle.Manifest, here provenance.Host, program run.Identity, version string) []string {
	var found []string
	for _, path := range slices.Sorted(maps.Keys(m.Hashes)) {
		was, now := m.Hashes[path], program.Hashes[path]
		switch {
		case now == "":
			found = append(found, fmt.Sprintf("program: %s is not part of what is run", path))
		case was != now:
			found = append(found, fmt.Sprintf("program: %s was %s, is %s", path, short(was), short(now)))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(program.Hashes)) {
		if m.Hashes[path] == "" {
			found = append(found, fmt.Sprintf("program: %s was not part of what was run", path))
		}
	}
	h := &m.Host
	for _, fact := range []struct{ name, was, now string }{
		{"system", h.OS + " " + h.Arch, here.OS + " " + here.Arch},
		{"distribution", h.Distribution, here.Distribution},
		{"kernel", h.Kernel, here.Kernel},
		{"CPUs", number(h.CPUs), number(here.CPUs)},
		{"CPU model", h.CPUModel, here.CPUModel},
		{"CPUs allowed", number(len(h.Affinity)), number(len(here.Affinity))},
		{"heisen", m.Heisen, version},
	} {
		if fact.was != "" && fact.now != "" && fact.was != fact.now {
			found = append(found, fmt.Sprintf("%s: was %s, is %s", fact.name, fact.was, fact.now))
		}
	}
	return found
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func short(hash string) string { return hash[:min(len(hash), 12)] }
