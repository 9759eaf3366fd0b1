package golang

import "strings"

// The flags of go build, go test and go run, by whether a value follows (cmd/go/internal/work/build.go,
// cmd/go/internal/test/testflag.go).
var (
	buildSwitches = set("a", "asan", "cover", "linkshared", "modcacherw", "msan", "n", "race", "trimpath", "work", "x", "buildvcs")
	buildValues   = set("C", "asmflags", "buildmode", "compiler", "covermode", "coverpkg", "gccgoflags", "gcflags",
		"installsuffix", "ldflags", "mod", "modfile", "overlay", "p", "pgo", "pkgdir", "tags", "toolexec")
	testSwitches = set("v", "short", "failfast", "benchmem", "json", "fullpath", "artifacts")
	testValues   = set("bench", "benchtime", "blockprofile", "blockprofilerate", "count", "coverprofile", "cpu", "cpuprofile",
		"list", "memprofile", "memprofilerate", "mutexprofile", "mutexprofilefraction", "outputdir", "parallel", "run",
		"shuffle", "skip", "timeout", "trace")
	// ownValues are go test's and go run's alone, and are not the binary's.
	ownValues = set("exec", "vet", "o")
	// notRuns make go test do something else than run tests once.
	notRuns = set("c", "i", "n", "fuzz", "fuzztime", "fuzzminimizetime")
	// forList are the build flags by which go list finds the same packages.
	forList = set("mod", "modfile", "modcacherw", "overlay", "race", "msan", "asan", "tags", "compiler", "installsuffix")
)

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// flagWord is one flag as it was written.
type flagWord struct {
	name, value string
	hasValue    bool
}

// cutFlag splits -name, --name and -name=value; false for what is no flag.
func cutFlag(word string) (flagWord, bool) {
	name := strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
	if name == word || name == "" || strings.HasPrefix(name, "-") {
		return flagWord{}, false
	}
	name, value, has := strings.Cut(name, "=")
	return flagWord{name, value, has}, true
}

func (f flagWord) String() string {
	if f.hasValue {
		return "-" + f.name + "=" + f.value
	}
	return "-" + f.name
}

// bare is the name without the test binary's own prefix.
func (f flagWord) bare() string { return strings.TrimPrefix(f.name, "test.") }

// forTest is the flag as the test binary knows it.
func (f flagWord) forTest() string {
	g := flagWord{"test." + f.bare(), f.value, true}
	if !f.hasValue {
		g.value = "true"
	}
	return g.String()
}
