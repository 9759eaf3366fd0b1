package signature

import (
	"strings"
)

var (
	// pytestSummary is a line of the short summary: FAILED file.py::Class::test[param] - message. Without
	// "::" it is a module that could not be collected.
	pytestSummary = lazily(`^(FAILED|ERROR) (\S+\.py(?:::[^\s\[]+)?(?:\[.*?\])?)(?: - (.*))?$`)
	// pytestSection is the head of one test's report: the name, between underscores.
	pytestSection = lazily(`^_{3,} (?:ERROR (at setup of|at teardown of|collecting) )?(.+?) _{3,}$`)
	// pytestPlace closes a report: file.py:12: AssertionError.
	pytestPlace = lazily(`^(\S+\.py):\d+: \S`)
)

// pytestReport is what one test's section says.
type pytestReport struct {
	stage, file, message string
}

// findPytest joins the short summary, which has the full names and messages cut to the terminal's width,
// with the sections, which have the whole messages. Either may be missing (-r N, --tb=no).
func findPytest(l *log) []Failure {
	if !strings.Contains(l.text, "\n___") && !strings.Contains(l.text, ".py") {
		return nil
	}
	reports := pytestReports(l)
	summary := pytestSummaries(l, reports)
	if len(summary) > 0 {
		return summary
	}
	var found []Failure
	for name, r := range reports {
		test := strings.ReplaceAll(name, ".", "::")
		if r.file != "" && r.stage != "collecting" {
			test = r.file + "::" + test
		}
		found = append(found, Failure{Test: test, Message: r.says("")})
	}
	return found
}

func pytestSummaries(l *log, reports map[string]pytestReport) []Failure {
	var found []Failure
	inside := false
	for _, line := range l.lines {
		if strings.HasPrefix(line, "====") {
			inside = strings.Contains(line, " short test summary info ")
			continue
		}
		if !inside || len(found) > 10*maxFailures {
			continue
		}
		if m := pytestSummary.FindStringSubmatch(line); m != nil {
			found = append(found, Failure{Test: m[2], Message: reports[pytestKey(m[2])].says(m[3])})
		}
	}
	return found
}

// pytestKey is the name by which a test's section is headed: without the file, with dots.
func pytestKey(node string) string {
	_, name, ok := strings.Cut(node, "::")
	if !ok {
		return node
	}
	plain, param, _ := strings.Cut(name, "[")
	key := strings.ReplaceAll(plain, "::", ".")
	if param != "" {
		key += "[" + param
	}
	return key
}

// says prefers the section's message; cut is the summary's.
func (r pytestReport) says(cut string) string {
	message := r.message
	if message == "" {
		message = whole(cut)
	}
	if stage := strings.Fields(r.stage); len(stage) > 1 {
		message = stage[1] + ": " + message
	}
	return message
}

// pytestReports reads the sections, by name. The first E line of a section is the exception that reached
// pytest, except where a chain of exceptions was printed: then it is the first of the last link.
func pytestReports(l *log) map[string]pytestReport {
	reports := map[string]pytestReport{}
	name, ok := "", false
	for _, line := range l.lines {
		switch {
		case strings.HasPrefix(line, "___"):
			if m := pytestSection.FindStringSubmatch(line); m != nil && len(reports) < 10*maxFailures {
				name, ok = m[2], true
				reports[name] = pytestReport{stage: m[1]}
			}
		case strings.HasPrefix(line, "===="):
			ok = false
		case !ok:
		case strings.HasPrefix(line, "E   "):
			r := reports[name]
			if r.message == "" {
				r.message = strings.TrimSpace(line[1:])
			}
			reports[name] = r
		case strings.HasPrefix(line, "During handling of") || strings.HasPrefix(line, "The above exception was"):
			r := reports[name]
			r.message = ""
			reports[name] = r
		default:
			if m := pytestPlace.FindStringSubmatch(line); m != nil && reports[name].file == "" {
				r := reports[name]
				r.file = m[1]
				reports[name] = r
			}
		}
	}
	return reports
}

// whole drops the last word of a message that was cut to the terminal's width: a piece of it may be left.
func whole(cut string) string {
	text, ok := strings.CutSuffix(cut, "...")
	if i := strings.LastIndexByte(text, ' '); ok && i > 0 {
		return text[:i]
	}
	return text
}
