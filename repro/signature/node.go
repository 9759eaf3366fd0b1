package signature

import (
	"strings"
)

var (
	nodeHead  = lazily(`^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception|AggregateError))(?: \[(\w+)\])?: (.*)$`)
	nodeFrame = lazily(`^ +at (?:(?:async )?(.+?) \()?(?:file://)?([^()\s]+?):\d+:\d+\)?`)
	nodeCross = lazily(`^( *)✖ (.+?)(?: \([\d.]+ms\))?( # .*)?$`)
)

// findNode reads what Node prints of an error that nobody caught. The version at the end is what tells
// it from an error that was only logged.
func findNode(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		m := nodeHead.FindStringSubmatch(line)
		if m == nil || !strings.Contains(l.text, "\nNode.js v") || len(found) > maxFailures {
			continue
		}
		found = append(found, Failure{Message: nodeSays(l, i, m), Where: nodeWhere(l, i+1)})
	}
	return found
}

// nodeSays adds the comparison's values, which stand below the words of an AssertionError.
func nodeSays(l *log, i int, m []string) string {
	message := m[1] + ": " + m[3]
	if m[2] != "" {
		message = m[1] + " [" + m[2] + "]: " + m[3]
	}
	if strings.HasSuffix(m[3], ":") {
		for j := i + 1; j < i+4; j++ {
			if text := strings.TrimSpace(l.at(j)); strings.Contains(text, " !== ") || strings.Contains(text, " != ") {
				message += " " + text
			}
		}
	}
	return message
}

// nodeWhere is the first frame outside of Node itself.
func nodeWhere(l *log, i int) string {
	for j := i; j < i+40 && j < len(l.lines); j++ {
		m := nodeFrame.FindStringSubmatch(l.lines[j])
		if m == nil || strings.HasPrefix(m[2], "node:") {
			continue
		}
		if m[1] == "" {
			return base(m[2])
		}
		return base(m[2]) + " in " + m[1]
	}
	return ""
}

// findNodeSpec reads the spec reporter of node --test: a cross, the name, and the error below. The list at the
// end repeats them; a suite's own cross only closes it.
func findNodeSpec(l *log) []Failure {
	if !strings.Contains(l.text, "✖ ") {
		return nil
	}
	var found []Failure
	for i, line := range l.lines {
		if !strings.Contains(line, "✖ ") || len(found) > 10*maxFailures {
			continue
		}
		m := nodeCross.FindStringSubmatch(line)
		if m == nil || m[3] != "" || m[2] == "failing tests:" {
			continue
		}
		head := nodeAnyHead.FindStringSubmatch(l.at(i + 1))
		if head != nil {
			shifted := &log{lines: l.block(i+1, 6, func(string) bool { return false })}
			found = append(found, Failure{Test: m[2], Message: nodeSays(shifted, 0, head)})
		}
	}
	return found
}

var nodeAnyHead = lazily(`^ *([A-Z]\w*)(?: \[(\w+)\])?: (.*)$`)
