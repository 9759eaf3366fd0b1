package signature

import (
	"strings"
)

// shellLine is an error of bash (name: line 5: ...) or dash (name: 5: ...).
var shellLine = lazily(`^(\S*(?:sh|\.\w*sh)): (?:line \d+|\d+): (.+)$`)

// findShell takes the last error of a shell: with set -e it is the one that ended the script.
func findShell(l *log) []Failure {
	for i := len(l.lines) - 1; i >= 0; i-- {
		if len(l.lines[i]) > 2000 || !strings.Contains(l.lines[i], "sh: ") {
			continue
		}
		if m := shellLine.FindStringSubmatch(l.lines[i]); m != nil {
			return []Failure{{Message: base(m[1]) + ": " + m[2]}}
		}
	}
	return nil
}
