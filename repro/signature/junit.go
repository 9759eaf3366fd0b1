package signature

import (
	"encoding/xml"
	"slices"
	"strings"
	"unicode"
)

// maxXML bounds how much of a log is parsed as XML.
const maxXML = 4 << 20

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitCase struct {
	Class    string       `xml:"classname,attr"`
	Name     string       `xml:"name,attr"`
	Failures []junitFault `xml:"failure"`
	Errors   []junitFault `xml:"error"`
	Skipped  *struct{}    `xml:"skipped"`
}

// findJUnit reads the cases of every JUnit document in the log. There is no one schema, so only the parts all writers share
// are asked for, and a document cut off in the middle counts as far as it goes.
func findJUnit(l *log) []Failure {
	start := strings.Index(l.text, "<testsuite")
	if start < 0 {
		return nil
	}
	text := l.text[start:]
	d := xml.NewDecoder(strings.NewReader(text[:min(len(text), maxXML)]))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	var found []Failure
	byPytest := false
	for len(found) < 10*maxFailures {
		token, err := d.Token()
		if err != nil {
			break
		}
		element, ok := token.(xml.StartElement)
		if ok && element.Name.Local == "testsuite" {
			byPytest = calledPytest(element)
		}
		if !ok || element.Name.Local != "testcase" {
			continue
		}
		var c junitCase
		if err := d.DecodeElement(&c, &element); err != nil {
			break
		}
		faults := append(c.Failures, c.Errors...)
		if len(faults) > 0 && c.Skipped == nil {
			found = append(found, junitFailure(c, faults[0], byPytest))
		}
	}
	return found
}

func junitName(c junitCase) string {
	if c.Class == "" || c.Class == "test" || strings.HasPrefix(c.Name, c.Class) {
		return c.Name
	}
	return c.Class + "." + c.Name
}

// junitFailure says the same as the console output of the tool that wrote the document, where the tool is known: one
// failure has one signature, whichever of the two an attempt printed.
func junitFailure(c junitCase, f junitFault, byPytest bool) Failure {
	lines := strings.Split(f.text(), "\n")
	switch {
	case byPytest:
		return Failure{Kind: "pytest", Test: pytestNode(c), Message: pytestSaid(f.says(lines[0]))}
	case len(lines) > 1 && (gtestPlace(lines[0]) || lines[0] == "unknown file"):
		lines[0] += ": Failure"
		return Failure{Kind: "gtest", Test: junitName(c), Message: gtestMessage(&log{lines: lines}, 0)}
	}
	return Failure{Test: junitName(c), Message: f.says(lines[0])}
}

// calledPytest: pytest gives its suite that name unless it is told another (junit_suite_name).
func calledPytest(suite xml.StartElement) bool {
	return slices.ContainsFunc(suite.Attr, func(a xml.Attr) bool { return a.Name.Local == "name" && a.Value == "pytest" })
}

// pytestNode is the name pytest's console gives a case: the module's file, then classes, which are told from modules
// by their capital.
func pytestNode(c junitCase) string {
	parts := strings.Split(c.Class, ".")
	file := len(parts)
	for file > 1 && parts[file-1] != "" && unicode.IsUpper(rune(parts[file-1][0])) {
		file--
	}
	if c.Class == "" {
		return c.Name
	}
	return strings.Join(append([]string{strings.Join(parts[:file], "/") + ".py"}, append(parts[file:], c.Name)...), "::")
}

// pytestFixture is what pytest says of a test whose fixture failed.
var pytestFixture = lazily(`^failed on (setup|teardown) with "(.*?)"?$`)

func pytestSaid(message string) string {
	if m := pytestFixture.FindStringSubmatch(message); m != nil {
		return m[1] + ": " + m[2]
	}
	return message
}

// text is the fault's message, else its text.
func (f junitFault) text() string {
	if message := strings.TrimSpace(f.Message); message != "" {
		return message
	}
	return strings.TrimSpace(f.Text)
}

// says puts the exception's type before the message where that is not said already.
func (f junitFault) says(message string) string {
	kind := f.Type[strings.LastIndexByte(f.Type, '.')+1:]
	if strings.ContainsAny(kind, ".:") || !strings.HasSuffix(kind, "Error") && !strings.HasSuffix(kind, "Exception") ||
		strings.Contains(message, kind) {
		return message
	}
	return kind + ": " + message
}

func gtestPlace(line string) bool {
	file, number, ok := strings.Cut(line, ":")
	return ok && strings.Contains(file, ".") && strings.Trim(number, "0123456789") == ""
}
