package signature

import (
	"strings"
)

var (
	goBuildFailed = lazily(`^FAIL\t(\S+) \[(build|setup) failed\]$`)
	goCompile     = lazily(`^(?:vet: )?([\w./+-]+\.go):\d+:\d+: (.+)$`)
)

// findGoBuild names packages that do not build, with the compiler's first complaint.
func findGoBuild(l *log) []Failure {
	if !strings.Contains(l.text, " failed]") {
		return nil
	}
	complaints := map[string]string{}
	pkg := ""
	for _, line := range l.lines {
		if strings.HasPrefix(line, "# ") {
			pkg, _, _ = strings.Cut(line[2:], " ")
			continue
		}
		if m := goCompile.FindStringSubmatch(line); m != nil && complaints[pkg] == "" && pkg != "" {
			complaints[pkg] = base(m[1]) + ": " + m[2]
		}
	}
	var found []Failure
	for _, line := range l.lines {
		m := goBuildFailed.FindStringSubmatch(line)
		if m == nil || len(found) > maxFailures {
			continue
		}
		message := m[2] + " failed"
		if c := complaints[m[1]]; c != "" {
			message += ": " + c
		}
		found = append(found, Failure{Test: m[1], Message: message})
	}
	return found
}
