package knobs

import "slices"

// Family is whom a knob is for. A command whose family is not known, such as a shell script, may start any.
type Family string

// The families.
const (
	Any    Family = ""
	Go     Family = "go"
	Python Family = "python"
	JVM    Family = "jvm"
	Node   Family = "node"
	Rust   Family = "rust"
)

// Knob is one variable and the values it may get: such as a user meets on some machine.
type Knob struct {
	Name   string
	Values []string
	For    Family
	// Moves says in a few words what it does.
	Moves string
	// Source is where that is documented.
	Source string
}

// Table lists what is varied. What the user set already is left as it is.
func Table() []Knob {
	return []Knob{
		{"GOMAXPROCS", []string{"1", "2", "3", "4", "8", "16"}, Go, "threads that run Go code at once", "package runtime, Environment Variables"},
		{"GOGC", []string{"5", "20", "50", "400"}, Go, "how often the collector runs", "package runtime, Environment Variables"},
		{"GODEBUG", []string{"asyncpreemptoff=1"}, Go, "goroutines are preempted at calls alone", "package runtime, GODEBUG"},
		{"PYTHONHASHSEED", []string{"0", "1", "2", "3", "42", "4294967295"}, Python, "the order of sets and, before 3.7, of dicts", "python(1)"},
		{"PYTHONMALLOC", []string{"malloc", "debug", "pymalloc"}, Python, "which allocator, and its checks", "python(1)"},
		{"PYTHONDEVMODE", []string{"1"}, Python, "checks of the development mode, warnings of asyncio", "Python Development Mode, docs.python.org"},
		{"JAVA_TOOL_OPTIONS", []string{"-XX:ActiveProcessorCount=1", "-XX:ActiveProcessorCount=2", "-XX:ActiveProcessorCount=16",
			"-Xint", "-Xcomp", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+UseParallelGC", "-XX:+UseZGC"},
			JVM, "processors, compiler and collector", "java(1), JVM Tool Interface: JAVA_TOOL_OPTIONS"},
		{"UV_THREADPOOL_SIZE", []string{"1", "2", "16", "64"}, Node, "threads for files, DNS and crypto", "libuv: Thread pool work scheduling"},
		{"NODE_OPTIONS", []string{"--max-old-space-size=256", "--max-semi-space-size=1"}, Node, "how often the collector runs", "node(1)"},
		{"RUST_TEST_THREADS", []string{"1", "2", "16"}, Rust, "tests of one binary at once", "The rustc book: tests"},
		{"MALLOC_ARENA_MAX", []string{"1", "2"}, Any, "threads share arenas of glibc's malloc, and wait for one another", "mallopt(3), M_ARENA_MAX"},
		{"MALLOC_PERTURB_", []string{"85", "165"}, Any, "memory from malloc and after free is not zero", "mallopt(3), M_PERTURB"},
		{"OMP_NUM_THREADS", []string{"1", "2", "8"}, Any, "threads of OpenMP's parallel regions", "OpenMP 5.2, OMP_NUM_THREADS"},
		{"TZ", []string{"UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"}, Any, "the local time", "tzset(3)"},
		{"LANG", []string{"C", "C.UTF-8"}, Any, "messages, sorting and what a byte is", "locale(7)"},
	}
}

// fitting are the knobs of a family and those for any; all where the family is not known.
func fitting(all []Knob, family Family) []Knob {
	return slices.DeleteFunc(slices.Clone(all), func(k Knob) bool { return family != Any && k.For != Any && k.For != family })
}
