package junit_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/junit"
	"heisen/stress/run"
)

// element is any XML, to be checked against what the schema says of order and attributes.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
}

// schema is junit-10.xsd's, as far as these reports use it: attributes that must be there, and children in order.
var schema = map[string]struct{ attrs, children []string }{
	"testsuites": {nil, []string{"testsuite"}},
	"testsuite":  {[]string{"name", "tests"}, []string{"properties", "testcase", "system-out"}},
	"properties": {nil, []string{"property"}},
	"property":   {[]string{"name", "value"}, nil},
	"testcase":   {[]string{"name"}, []string{"skipped", "error", "failure", "system-out"}},
	"failure":    {nil, nil}, "error": {nil, nil}, "skipped": {nil, nil}, "system-out": {nil, nil},
}

func check(t *testing.T, e element) {
	rule, known := schema[e.XMLName.Local]
	require.True(t, known, e.XMLName.Local)
	have := map[string]bool{}
	for _, a := range e.Attrs {
		have[a.Name.Local] = true
	}
	for _, name := range rule.attrs {
		require.True(t, have[name], "%s lacks %s", e.XMLName.Local, name)
	}
	at := 0
	for _, c := range e.Children {
		for at < len(rule.children) && rule.children[at] != c.XMLName.Local {
			at++
		}
		require.Less(t, at, len(rule.children), "%s stands at the wrong place in %s", c.XMLName.Local, e.XMLName.Local)
		check(t, c)
	}
}

func TestReportsAreValid(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	for name, events := range map[string][]run.Event{"rare": recorded.Rare(), "troubled": recorded.Troubled(), "clean": recorded.Clean(),
		"unjudged": recorded.Unjudged()} {
		r := reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir})
		var b bytes.Buffer
		require.NoError(t, junit.Write(&b, r, func(string) *evidence.Attempt { return fail }))
		golden.Equal(t, name+".xml", b.String())
		require.NotContains(t, b.String(), recorded.Secret)
		require.NotContains(t, b.String(), "<img")
		var root element
		require.NoError(t, xml.Unmarshal(b.Bytes(), &root))
		check(t, root)
		var counts struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Suite    struct {
				Cases []struct {
					Failure *struct{} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		require.NoError(t, xml.NewDecoder(strings.NewReader(b.String())).Decode(&counts))
		require.Len(t, counts.Suite.Cases, counts.Tests)
		require.Equal(t, len(r.Signatures), counts.Failures, "attempts are no cases, kinds of failure are")
	}
}
