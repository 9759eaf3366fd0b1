package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

const pytestFile = `
import pytest

@pytest.fixture
def broken():
    raise LookupError("no such thing")

def test_good():
    pass

def test_bad():
    assert 1 == 2

def test_unset(broken):
    pass
`

// pytest is an interpreter that has the package; PYTHONPATH may lead to it.
func pytest(t *testing.T) string {
	t.Helper()
	var tried []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		found, _ := filepath.Glob(filepath.Join(dir, "python3*[!g]")) // no python3-config
		for _, python := range found {
			if exec.Command(python, "-c", "import pytest").Run() == nil {
				return python
			}
			tried = append(tried, python)
		}
	}
	t.Skipf("no pytest here: none of %v can import it", tried)
	return ""
}

func TestPytestPluginMarksPhases(t *testing.T) {
	python := pytest(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test_x.py"), []byte(pytestFile), 0o600))
	plugin, err := filepath.Abs("python")
	require.NoError(t, err)
	with := func(env ...string) *exec.Cmd {
		cmd := exec.Command(python, "-B", "-m", "pytest", "-q", "-p", "heisen_events_pytest", "-p", "no:cacheprovider", "test_x.py")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PYTHONPATH="+plugin+string(filepath.ListSeparator)+os.Getenv("PYTHONPATH"))
		cmd.Env = append(cmd.Env, env...)
		return cmd
	}
	trace := listen(t, func(a run.Attempt) {
		out, err := with(a.Environ()...).CombinedOutput()
		require.Error(t, err, "one fails")
		require.Contains(t, string(out), "1 failed, 1 passed, 1 error")
	})
	var got []string
	for _, p := range trace.Points {
		got = append(got, p.Name+" "+strings.Join(p.Fields, " "))
	}
	require.Equal(t, []string{
		"setup test_x.py::test_good", "setup_end test_x.py::test_good ok",
		"call test_x.py::test_good", "call_end test_x.py::test_good ok",
		"teardown test_x.py::test_good", "teardown_end test_x.py::test_good ok",
		"setup test_x.py::test_bad", "setup_end test_x.py::test_bad ok",
		"call test_x.py::test_bad", "call_end test_x.py::test_bad AssertionError",
		"teardown test_x.py::test_bad", "teardown_end test_x.py::test_bad ok",
		"setup test_x.py::test_unset", "setup_end test_x.py::test_unset LookupError",
		"teardown test_x.py::test_unset", "teardown_end test_x.py::test_unset ok",
	}, got)

	out, _ := with().CombinedOutput()
	require.Contains(t, string(out), "1 failed, 1 passed, 1 error", "and nothing else changes where nobody listens")
}
