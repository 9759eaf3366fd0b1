package signature

import (
	"strings"
)

const (
	// maxPanics bounds how many lines are taken for last words: a process has one, and a log few processes.
	maxPanics = 32
	// maxStacks and maxFrames bound what is read of one dump; the runtime itself prints at most 100 frames.
	maxStacks = 2000
	maxFrames = 110
)

var goGoroutine = lazily(`^goroutine (\d+)(?: gp=\S+ m=\S+(?: mp=\S+)?)? \[([^\]]+)\]:$`)

// findGoPanic reads the last words of a Go process: panic, fatal error, and the testing package's own
// time-out. A stack must follow, or the line is only text.
func findGoPanic(l *log) []Failure {
	var found []Failure
	tries := 0
	for i, line := range l.lines {
		panicked := strings.HasPrefix(line, "panic: ")
		if !panicked && !strings.HasPrefix(line, "fatal error: ") {
			continue
		}
		if tries++; tries > maxPanics {
			break
		}
		stacks := goStacks(l, i+1, 12)
		if len(stacks) == 0 {
			continue
		}
		if strings.HasPrefix(line, "panic: test timed out after ") {
			found = append(found, goTimeouts(stacks)...)
		} else {
			found = append(found, goPanicked(l, i, stacks))
		}
	}
	return found
}

func goPanicked(l *log, i int, stacks []goStack) Failure {
	line := l.lines[i]
	if j := strings.Index(line, " [recovered"); j > 0 {
		line = line[:j]
	}
	s := stacks[0]
	test := s.test()
	if m := goFail.FindStringSubmatch(l.at(i - 1)); m != nil {
		test = m[1]
	} else if j := strings.Index(line, "all goroutines are asleep"); j >= 0 {
		s = goBlocked(stacks)
		test = s.test()
	}
	return Failure{Test: test, Message: line, Where: s.top(1)}
}

// goTimeouts is one failure for each test that was still running, by where it is blocked.
func goTimeouts(stacks []goStack) []Failure {
	var found []Failure
	for _, s := range stacks {
		if s.leaf() && len(found) < maxFailures {
			found = append(found, Failure{Test: s.test(), Message: "test timed out: " + s.blocked()})
		}
	}
	if len(found) == 0 {
		found = append(found, Failure{Message: "test timed out: " + goBlocked(stacks).blocked()})
	}
	return found
}

// goStack is one goroutine of a dump, innermost function first.
type goStack struct {
	id, state string
	functions []string
	// creator is the function that started the goroutine.
	creator string
}

// goStacks reads the goroutines that begin within the given number of lines from i on.
func goStacks(l *log, i, within int) []goStack {
	var stacks []goStack
	last := i + within
	for ; i < len(l.lines) && i < last && len(stacks) < maxStacks; i++ {
		m := goGoroutine.FindStringSubmatch(l.lines[i])
		if m == nil {
			continue
		}
		s := goStack{id: m[1]}
		s.state, _, _ = strings.Cut(m[2], ",")
		for end := i + 2*maxFrames; i < end && l.at(i+1) != ""; {
			i++
			name := goFunction(l.lines[i])
			if strings.HasPrefix(l.lines[i], "created by ") {
				s.creator = name
			} else if name != "" {
				s.functions = append(s.functions, name)
			}
		}
		stacks = append(stacks, s)
		last = i + within
	}
	return stacks
}

// goFrame is a function in a stack, its arguments behind it, or the function that started a goroutine.
var goFrame = lazily(`^(?:created by )?([\w./%-]+\.[\w.()*\[\]…-]+?)(?:\([^()]*(?:\([^()]*\)[^()]*)*\)| in goroutine \d+)?$`)

// goFunction is the function of one line of a stack, with the last element of its package's path.
func goFunction(line string) string {
	if line == "" || line[0] == '\t' || line[0] == ' ' || len(line) > 1000 {
		return ""
	}
	m := goFrame.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	return base(m[1])
}

var goTestName = lazily(`^\w+\.((?:Test|Fuzz|Benchmark|Example)\w*)(?:$|\.func|\.gowrap|\()`)

// goTestFunction is the test to whose code a line of a stack belongs.
func goTestFunction(line string) string {
	if m := goTestName.FindStringSubmatch(goFunction(line)); m != nil {
		return m[1]
	}
	return ""
}

func (s goStack) test() string {
	for _, f := range append(s.functions[:len(s.functions):len(s.functions)], s.creator) {
		if m := goTestName.FindStringSubmatch(f); m != nil {
			return m[1]
		}
	}
	return ""
}

func (s goStack) has(function string) bool {
	for _, f := range s.functions {
		if f == function {
			return true
		}
	}
	return false
}

// leaf tells the goroutine of a test's own code from one that waits for a subtest or for its turn.
func (s goStack) leaf() bool {
	return s.has("testing.tRunner") && !s.has("testing.(*T).Run") && !s.has("testing.(*T).Parallel")
}

// top names the innermost n functions of the program's own.
func (s goStack) top(n int) string {
	var own []string
	for _, f := range s.functions {
		pkg, _, _ := strings.Cut(f, ".")
		if len(own) < n && pkg != "runtime" && pkg != "testing" && pkg != "sync" && pkg != "maps" && pkg != "poll" {
			own = append(own, f)
		}
	}
	return strings.Join(own, " < ")
}

func (s goStack) blocked() string {
	if top := s.top(3); top != "" {
		return s.state + " in " + top
	}
	return s.state
}

// goBlocked is the goroutine that says most about a hang: a test's, else the main one.
func goBlocked(stacks []goStack) goStack {
	for _, s := range stacks {
		if s.leaf() {
			return s
		}
	}
	for _, s := range stacks {
		if s.id == "1" {
			return s
		}
	}
	return stacks[0]
}
