package provenance

import (
	"slices"
	"strings"
)

// allowed is the one table of environment variables whose values may be kept, each group with its reason.
// A name that ends in * is a prefix. Every other variable is kept by name only: its name can explain a
// difference between two machines, its value may be a password.
var allowed = []struct {
	reason string
	names  []string
}{
	{"how programs are found and run", []string{"PATH", "SHELL", "PWD"}},
	{"language and time zone change messages, sorting and dates", []string{"LANG", "LANGUAGE", "LC_*", "TZ"}},
	{"terminal facts change what a test prints", []string{"TERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}},
	{"what heisen gives every attempt", []string{"HEISEN_*", "TMPDIR"}},
	{"a test behaves differently under continuous integration", []string{"CI"}},
	{"Python: hashing, warnings, buffering, threads", []string{
		"PYTHONHASHSEED", "PYTHONDEVMODE", "PYTHONFAULTHANDLER", "PYTHONUNBUFFERED", "PYTHONMALLOC",
		"PYTHONASYNCIODEBUG", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONOPTIMIZE", "PYTHON_GIL",
	}},
	{"Go: scheduler, collector, tracebacks", []string{
		"GOMAXPROCS", "GODEBUG", "GOGC", "GOMEMLIMIT", "GOTRACEBACK", "GOEXPERIMENT", "GORACE",
	}},
	{"C and C++: allocator, threads, sanitizers", []string{
		"MALLOC_ARENA_MAX", "MALLOC_CHECK_", "MALLOC_PERTURB_", "GLIBC_TUNABLES", "OMP_NUM_THREADS",
		"ASAN_OPTIONS", "LSAN_OPTIONS", "MSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
	}},
	{"Rust: tracebacks, test threads", []string{"RUST_BACKTRACE", "RUST_TEST_THREADS", "RUST_MIN_STACK"}},
	{"what makes a build reproducible", []string{"SOURCE_DATE_EPOCH"}},
}

// Environment splits an environment (NAME=value, the last of a name wins) into the values that may be kept
// and the sorted names of all other variables.
func Environment(environ []string) (values map[string]string, names []string) {
	values = make(map[string]string)
	hidden := make(map[string]bool)
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			continue
		}
		delete(values, name)
		delete(hidden, name)
		if mayKeep(name, value) {
			values[name] = value
		} else {
			hidden[name] = true
		}
	}
	for name := range hidden {
		names = append(names, name)
	}
	slices.Sort(names)
	return values, names
}

// mayKeep also refuses what looks like a secret behind an allowed name: HEISEN_API_TOKEN, a URL with a
// password on the PYTHONPATH.
func mayKeep(name, value string) bool {
	if secretName.MatchString(name) || Scrub(value) != value {
		return false
	}
	for _, group := range allowed {
		for _, pattern := range group.names {
			prefix, wild := strings.CutSuffix(pattern, "*")
			if name == pattern || wild && strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
