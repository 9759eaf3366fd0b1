package golang

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecogniseGoTest(t *testing.T) {
	const added = "-test.paniconexit0 -test.timeout=10m0s "
	for _, c := range []struct {
		name, words, build, packages, test, args string
	}{
		{"nothing", "", "", ".", added, ""},
		{"flags and a package", "./pkg -run X -race", "-race", "./pkg", added + "-test.run=X", ""},
		{"flags first", "-race -tags a,b -run X ./a ./b", "-race -tags=a,b", "./a ./b", added + "-test.run=X", ""},
		{"switches become true", "-v -short -failfast .", "", ".", added + "-test.v=true -test.short=true -test.failfast=true", ""},
		{"two dashes and equals", "--count=1 --run=X/y", "", ".", added + "-test.count=1 -test.run=X/y", ""},
		{"the binary's own names", "-test.run X -test.v", "", ".", added + "-test.run=X -test.v=true", ""},
		{"a time-out of its own", "-timeout 3s", "", ".", "-test.paniconexit0 -test.timeout=3s", ""},
		{"arguments", ". -args -run a b", "", ".", added, "-run a b"},
		{"a word after flags is the binary's", "./a -v word -run X", "", "./a", added + "-test.v=true", "word -run X"},
		{"an unknown flag is the binary's", "./a -golden -run X", "", "./a", added + "-golden -test.run=X", ""},
		{"an unknown flag ends packages", "-golden ./a", "", ".", added + "-golden", "./a"},
		{"an unknown flag with a value does not", "-golden=1 ./a", "", "./a", added + "-golden=1", ""},
		{"names that only go uses", "-o x.test -p 4 -vet=off .", "-vet=off", ".", added, ""},
		{"coverage", "-coverprofile c.out .", "-cover", ".", added + "-test.coverprofile=c.out", ""},
		{"json", "-json -v .", "", ".", "-test.paniconexit0 -test.timeout=10m0s -test.v=test2json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Recognise(append([]string{"go", "test"}, strings.Fields(c.words)...), "/usr/bin/go")
			require.Equal(t, GoTest, got.Kind, got.Why)
			assert.Equal(t, strings.Fields(c.build), append([]string{}, got.Build...))
			assert.Equal(t, strings.Fields(c.packages), got.Packages)
			assert.Equal(t, strings.Fields(c.test), got.Test)
			assert.Equal(t, strings.Fields(c.args), append([]string{}, got.Args...))
		})
	}
}

func TestRecogniseLeavesOthersAlone(t *testing.T) {
	for _, words := range []string{"test -c .", "test -fuzz X .", "test -n .", "build .", "vet", "", "run", "run -unheard x.go"} {
		got := Recognise(append([]string{"go"}, strings.Fields(words)...), "/usr/bin/go")
		assert.Equal(t, NotGo, got.Kind, words)
		assert.NotEmpty(t, got.Why, words)
	}
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	assert.Equal(t, Command{}, Recognise([]string{"sh", "-c", "go test"}, sh))
	assert.Equal(t, Command{}, Recognise(nil, ""))
}

func TestRecogniseGoRun(t *testing.T) {
	got := Recognise(strings.Fields("go -C sub run -race -exec env a.go b.go -x 1"), "/usr/bin/go")
	assert.Equal(t, Command{Kind: GoRun, Go: "/usr/bin/go", Chdir: "sub", Build: []string{"-race"}, Exec: []string{"env"},
		Packages: []string{"a.go", "b.go"}, Args: []string{"-x", "1"}}, got)
}

func TestRecognisePrebuilt(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	assert.Equal(t, Command{Kind: Prebuilt, Go: self}, Recognise([]string{filepath.Base(self), "-test.v"}, self))
}
