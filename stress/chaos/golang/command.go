package golang

import (
	"debug/buildinfo"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is what sort of Go program a command runs.
type Kind int

// The kinds of commands.
const (
	// NotGo is every other command.
	NotGo Kind = iota
	// GoTest is go test, GoRun is go run.
	GoTest
	GoRun
	// Prebuilt is a program that was built by Go: it has the runtime it has, and knobs move it.
	Prebuilt
)

// Command is a command line as heisen understood it.
type Command struct {
	Kind Kind
	// Go is the go command's path, or the program's own for Prebuilt.
	Go string
	// Chdir is what -C names, "" for none.
	Chdir string
	// Build are the flags that building needs, without -C, -o and -exec; Packages are patterns, or files.
	Build, Packages []string
	// Test are the flags of the test binary (-test.…), Args what follows them.
	Test, Args []string
	// Exec stands before the binary, as -exec says. JSON asks for test2json.
	Exec []string
	JSON bool
	// Why says why a command that looks like Go's is left as it is.
	Why string
}

// Recognise reads a command. path is the executable that argv[0] was resolved to. What is not understood,
// flags that will come among them, is left as it is: Kind is NotGo then, and Why says so where the command
// is go's.
func Recognise(argv []string, path string) Command {
	if len(argv) == 0 {
		return Command{}
	}
	if filepath.Base(argv[0]) != "go" {
		if _, err := buildinfo.ReadFile(path); err == nil {
			return Command{Kind: Prebuilt, Go: path}
		}
		return Command{}
	}
	words := argv[1:]
	c := Command{Go: path}
	if len(words) > 0 {
		if f, ok := cutFlag(words[0]); ok && f.name == "C" {
			words = c.takeChdir(f, words)
		}
	}
	if len(words) == 0 {
		return Command{Why: "go without a command"}
	}
	switch words[0] {
	case "test":
		c.Kind = GoTest
		return c.test(words[1:])
	case "run":
		c.Kind = GoRun
		return c.run(words[1:])
	}
	return Command{Why: "go " + words[0] + " runs no program of yours"}
}

func (c *Command) takeChdir(f flagWord, words []string) []string {
	if f.hasValue {
		c.Chdir = f.value
		return words[1:]
	}
	if len(words) > 1 {
		c.Chdir = words[1]
		return words[2:]
	}
	return nil
}

// test reads the words after go test: flags of building and of testing in any order, packages as one run of
// words, and from the first word after that, or -args, what is the binary's own.
func (c Command) test(words []string) Command {
	seen, ended := false, false // packages were seen; no more can come
	for len(words) > 0 {
		word := words[0]
		f, isFlag := cutFlag(word)
		switch {
		case word == "-args" || word == "--args":
			c.Args = append(c.Args, words[1:]...)
			return c.settle()
		case !isFlag && ended:
			c.Args = append(c.Args, words...)
			return c.settle()
		case !isFlag:
			c.Packages, seen = append(c.Packages, word), true
			words = words[1:]
			continue
		}
		ended = seen
		f, words = valued(f, words)
		if why := c.take(f); why != "" {
			return Command{Why: why}
		}
		if !known(f) {
			// It is the binary's own, and go cannot tell whether a value follows.
			ended = ended || !f.hasValue
		}
	}
	return c.settle()
}

func known(f flagWord) bool {
	b := f.bare()
	return buildSwitches[f.name] || buildValues[f.name] || ownValues[f.name] || testSwitches[b] || testValues[b] || notRuns[b]
}

// valued joins a flag with the word after it, where that is its value.
func valued(f flagWord, words []string) (flagWord, []string) {
	takes := buildValues[f.name] || ownValues[f.name] || testValues[f.bare()] || strings.HasPrefix(f.bare(), "fuzz")
	if !f.hasValue && takes && len(words) > 1 {
		f.value, f.hasValue = words[1], true
		return f, words[2:]
	}
	return f, words[1:]
}

// take sorts one flag; the answer says why the command cannot be taken over.
func (c *Command) take(f flagWord) string {
	switch b := f.bare(); {
	case notRuns[b]:
		return "go test -" + b + " does not run the tests as they are"
	case f.name == "json":
		c.JSON = f.value != "false"
	case f.name == "exec":
		c.Exec = strings.Fields(f.value)
	case f.name == "C":
		c.Chdir = f.value
	case f.name == "o" || f.name == "p":
	case f.name == "vet":
		c.Build = append(c.Build, f.String())
	case buildSwitches[f.name] || buildValues[f.name]:
		c.Build = append(c.Build, f.String())
	case b == "coverprofile":
		c.Build = append(c.Build, "-cover")
		c.Test = append(c.Test, f.forTest())
	case testSwitches[b] || testValues[b]:
		c.Test = append(c.Test, f.forTest())
	default:
		c.Test = append(c.Test, f.String())
	}
	return ""
}

// settle adds what go test itself adds.
func (c Command) settle() Command {
	if len(c.Packages) == 0 {
		c.Packages = []string{"."}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(c.Test, func(w string) bool { f, _ := cutFlag(w); return f.name == "test."+name })
	}
	add := []string{"-test.paniconexit0"}
	if !has("timeout") {
		add = append(add, "-test.timeout=10m0s")
	}
	if c.JSON {
		c.Test = slices.DeleteFunc(c.Test, func(w string) bool { f, _ := cutFlag(w); return f.name == "test.v" })
		add = append(add, "-test.v=test2json")
	}
	c.Test = append(add, c.Test...)
	return c
}

// profiles tells whether the binary will write files whose names are meant from the user's folder.
func (c Command) profiles() bool {
	return slices.ContainsFunc(c.Test, func(w string) bool {
		f, _ := cutFlag(w)
		return strings.HasSuffix(f.name, "profile") || f.name == "test.trace"
	}) && !slices.ContainsFunc(c.Test, func(w string) bool { return strings.HasPrefix(w, "-test.outputdir=") })
}

// run reads the words after go run: flags, then a package or files, then the program's own words.
func (c Command) run(words []string) Command {
	for len(words) > 0 {
		f, isFlag := cutFlag(words[0])
		if !isFlag {
			break
		}
		if !buildSwitches[f.name] && !buildValues[f.name] && f.name != "exec" {
			return Command{Why: "go run -" + f.name + " is not known here"}
		}
		f, words = valued(f, words)
		if f.name == "n" {
			return Command{Why: "go run -n runs nothing"}
		}
		if f.name == "exec" {
			c.Exec = strings.Fields(f.value)
		} else if f.name == "C" {
			c.Chdir = f.value
		} else {
			c.Build = append(c.Build, f.String())
		}
	}
	if len(words) == 0 {
		return Command{Why: "go run without a package"}
	}
	n := 1
	if strings.HasSuffix(words[0], ".go") {
		for n < len(words) && strings.HasSuffix(words[n], ".go") {
			n++
		}
	}
	c.Packages, c.Args = words[:n], words[n:]
	return c
}
