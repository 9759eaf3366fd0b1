package signature

import (
	"strings"
)

var (
	tapNotOK  = lazily(`^( *)not ok\b *\d* *(?:- *)?(.*)$`)
	tapExcuse = lazily(`(?i)# *(?:todo|skip)\b`)
	tapYAML   = lazily(`^ *(?:error|message): *(.*)$`)
	perlBad   = lazily(`^# +Failed test '(.*)'$`)
)

// findTAP reads the Test Anything Protocol, its diagnostics (# got, # expected; Test::More) and its YAML
// blocks (node --test). Numbers of tests are not names; TODO and SKIP are not failures.
func findTAP(l *log) []Failure {
	if !strings.Contains(l.text, "not ok") && !strings.Contains(l.text, "Failed test '") {
		return nil
	}
	var found []Failure
	for i, line := range l.lines {
		if !strings.Contains(line, "not ok") {
			continue
		}
		m := tapNotOK.FindStringSubmatch(line)
		if m == nil || tapExcuse.MatchString(m[2]) || len(found) > 10*maxFailures {
			continue
		}
		message, parent := tapSays(l, i+1, len(m[1]))
		name, _, _ := strings.Cut(m[2], " # ")
		if !parent {
			found = append(found, Failure{Test: strings.TrimSpace(name), Message: tapUnnamed(name, message)})
		}
	}
	return append(found, tapDiagnostics(l, len(found) > 0)...)
}

// tapUnnamed keeps a bare "not ok 3" from having neither name nor message.
func tapUnnamed(name, message string) string {
	if strings.TrimSpace(name) == "" && message == "" {
		return "not ok"
	}
	return message
}

// tapSays reads what follows a "not ok": a YAML block, or comments. A parent failed only because a
// subtest of it did.
func tapSays(l *log, i, indent int) (message string, parent bool) {
	if strings.TrimSpace(l.at(i)) != "---" {
		return tapComments(l, i), false
	}
	block := l.block(i+1, 80, func(line string) bool { return strings.TrimSpace(line) == "..." })
	name := ""
	for j, line := range block {
		if strings.Contains(line, "failureType: 'subtestsFailed'") {
			return "", true
		}
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "name: '"); ok {
			name = strings.TrimSuffix(text, "'") + ": "
		}
		if m := tapYAML.FindStringSubmatch(line); m != nil && message == "" {
			message = yamlText(m[1], block[j+1:])
		}
	}
	return name + message, false
}

// yamlText is a scalar in quotes, or a literal block (|-), whose lines are deeper than its key.
func yamlText(text string, below []string) string {
	if !strings.HasPrefix(text, "|") && !strings.HasPrefix(text, ">") {
		return strings.Trim(text, `"'`)
	}
	var parts []string
	for _, line := range below {
		if len(parts) == 3 || (strings.Contains(line, ": '") && len(parts) > 0) {
			break
		}
		if t := strings.TrimSpace(line); t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, " ")
}

// tapComments joins "got" and "expected" from the comments below a failed test.
func tapComments(l *log, i int) string {
	var parts []string
	for _, line := range l.block(i, 8, func(line string) bool { return !strings.HasPrefix(strings.TrimSpace(line), "#") }) {
		text := squeeze(strings.TrimLeft(line, " #"))
		if strings.HasPrefix(text, "got: ") || strings.HasPrefix(text, "expected: ") {
			parts = append(parts, fold(text))
		}
	}
	return strings.Join(parts, ", ")
}

// tapDiagnostics reads Test::More's words on standard error, which is all that `prove` shows without
// -v. Where the tests themselves were printed too, they only add the message.
func tapDiagnostics(l *log, printed bool) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		m := perlBad.FindStringSubmatch(line)
		if m == nil || len(found) > 10*maxFailures {
			continue
		}
		message := tapComments(l, i+1)
		if !printed || message != "" {
			found = append(found, Failure{Test: m[1], Message: message})
		}
	}
	return found
}
