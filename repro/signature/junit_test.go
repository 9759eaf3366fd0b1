package signature

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// One failure printed twice, to the console and as a document, is one failure.
func TestConsoleAndDocumentSayTheSame(t *testing.T) {
	for console, document := range map[string]string{"pytest-1": "junit-pytest", "gtest-1": "junit-gtest"} {
		first := readCase(t, filepath.Join("testdata/corpus", console+".txt"))
		second := readCase(t, filepath.Join("testdata/corpus", document+".txt"))
		both := first.in
		both.Output = append(append([]byte{}, first.in.Output...), second.in.Output...)
		require.Equal(t, Of(first.in), Of(both), console)
	}
}

func TestPytestNode(t *testing.T) {
	for want, c := range map[string]junitCase{
		"test_a.py::test_x":              {Class: "test_a", Name: "test_x"},
		"tests/unit/test_a.py::test_x":   {Class: "tests.unit.test_a", Name: "test_x"},
		"tests/test_a.py::TestQ::test":   {Class: "tests.test_a.TestQ", Name: "test"},
		"test_a.py::TestQ::TestIn::t[1]": {Class: "test_a.TestQ.TestIn", Name: "t[1]"},
		"test_x":                         {Name: "test_x"},
	} {
		require.Equal(t, want, pytestNode(c))
	}
}
