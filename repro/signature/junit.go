package signature

import (
	"encoding/xml"
	"strings"
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
	for len(found) < 10*maxFailures {
		token, err := d.Token()
		if err != nil {
			break
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "testcase" {
			continue
		}
		var c junitCase
		if err := d.DecodeElement(&c, &element); err != nil {
			break
		}
		faults := append(c.Failures, c.Errors...)
		if len(faults) > 0 && c.Skipped == nil {
			found = append(found, Failure{Test: junitName(c), Message: faults[0].says()})
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

// says is the fault's message, else the first line of its text, with the exception's type before it
// where that is not said already.
func (f junitFault) says() string {
	message := strings.TrimSpace(f.Message)
	if message == "" {
		message = strings.TrimSpace(f.Text)
	}
	lines := strings.SplitN(message, "\n", 5)
	// googletest: the first line is only the place.
	if len(lines) > 1 && (gtestPlace(lines[0]) || lines[0] == "unknown file") {
		message = joinFolded(lines[1:])
	} else {
		message = lines[0]
	}
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
