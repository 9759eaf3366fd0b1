package dump

import (
	"bytes"
	"regexp"
	"strings"

	"heisen/stress/chaos"
)

// mostLines bounds what is looked at: a program may print anything.
const mostLines = 100_000

// Heads of one thread's stack, with its name as the first group.
var heads = []*regexp.Regexp{
	regexp.MustCompile(`^(goroutine \d+[^\[]*\[[^\]]*\]):$`),
	regexp.MustCompile(`^"([^"]*)" .*\btid=0x`),
	regexp.MustCompile(`^((?:Current t|T)hread 0x[0-9a-f]+)(?: \[.*\])? \(most recent call first\):$`),
	regexp.MustCompile(`^(Thread \d+ \(.*\)):$`),
}

var (
	goPlace    = regexp.MustCompile(`^\t(\S.*?:\d+)(?: \+0x[0-9a-f]+)?$`)
	goFunction = regexp.MustCompile(`^(?:created by )?([^\s(].*?)(?:\([^()]*\)| in goroutine \d+)$`)
	javaFrame  = regexp.MustCompile(`^\s+at ([\w.$<>/@]+)\((.*)\)$`)
	pyFrame    = regexp.MustCompile(`^  File "(.*)", line (\d+) in (.*)$`)
	gdbFrame   = regexp.MustCompile(`^#\d+ +(?:0x[0-9a-f]+ in )?(\S+) .*?(?: (?:at|from) (\S+))?$`)
)

// Parse finds the stacks in an output, at most chaos.MostStacks, in the order in which they stand there.
func Parse(output []byte) []chaos.Stack {
	p := parser{}
	for range mostLines {
		line, rest, more := bytes.Cut(output, []byte("\n"))
		p.line(strings.TrimRight(string(line[:min(len(line), 4096)]), "\r"))
		if output = rest; !more {
			break
		}
	}
	p.end()
	return p.found
}

type parser struct {
	found    []chaos.Stack
	open     *chaos.Stack
	function string // of a Go frame, whose place is on the next line
}

func (p *parser) line(line string) {
	for _, head := range heads {
		if m := head.FindStringSubmatch(line); m != nil {
			p.end()
			p.open = &chaos.Stack{Name: m[1]}
			return
		}
	}
	if p.open == nil {
		return
	}
	switch m := goPlace.FindStringSubmatch(line); {
	case m != nil && p.function != "":
		p.frame(p.function, m[1])
		p.function = ""
	case pyFrame.MatchString(line):
		m = pyFrame.FindStringSubmatch(line)
		p.frame(m[3], m[1]+":"+m[2])
	case javaFrame.MatchString(line):
		m = javaFrame.FindStringSubmatch(line)
		p.frame(m[1], m[2])
	case gdbFrame.MatchString(line):
		m = gdbFrame.FindStringSubmatch(line)
		p.frame(m[1], m[2])
	case goFunction.MatchString(line):
		p.function = goFunction.FindStringSubmatch(line)[1]
	case line == "":
		p.end()
	}
}

func (p *parser) frame(function, place string) {
	if len(p.open.Frames) >= chaos.MostFrames {
		return
	}
	if place != "" {
		function += " at " + place
	}
	p.open.Frames = append(p.open.Frames, function)
}

// end closes a stack; one without frames tells nothing.
func (p *parser) end() {
	if p.open != nil && len(p.open.Frames) > 0 && len(p.found) < chaos.MostStacks {
		p.found = append(p.found, *p.open)
	}
	p.open, p.function = nil, ""
}
