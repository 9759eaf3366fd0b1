package bundle

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The test binary plays the test command: it prints what it was given, NUL-separated.
func TestMain(m *testing.M) {
	if os.Getenv("HEISEN_ECHO") == "1" {
		dir, _ := os.Getwd()
		stdin, _ := os.Stdin.Stat()
		null, _ := os.Stat(os.DevNull)
		_, err := os.Stat(os.Getenv("TMPDIR"))
		fields := append([]string{dir, os.Getenv("TMPDIR"), os.Getenv("HEISEN_SEED")}, os.Args[1:]...)
		_, _ = os.Stdout.WriteString(strings.Join(fields, "\x00"))
		if err != nil || !os.SameFile(stdin, null) {
			os.Exit(99)
		}
		os.Exit(7)
	}
	os.Exit(m.Run())
}

// rerun runs repro.sh of these arguments with /bin/sh and returns what the command saw.
func rerun(t require.TestingT, dir, temp string, args []string, env map[string]Text) []string {
	exe, err := os.Executable()
	require.NoError(t, err)
	m := Manifest{
		Campaign: "evil\nrm -rf /",
		Attempt:  Attempt{Seq: 3, Temp: Text(temp)},
		Command:  Command{Path: Text(exe), Dir: Text(dir), Args: append([]Text{"typed"}, texts(args)...)},
		Environment: Environment{
			Values: map[string]Text{"HEISEN_ECHO": "1"},
			Names:  []Text{"SECRET_TOKEN", "BASH_FUNC_x%%", "X\nexit 55\n#", "A=B"},
		},
	}
	for name, value := range env {
		m.Environment.Values[name] = value
	}
	file, err := os.CreateTemp("", "repro-*.sh")
	require.NoError(t, err)
	defer os.Remove(file.Name())
	_, err = file.Write(script(&m))
	require.NoError(t, err)
	require.NoError(t, file.Close())

	var stdout, stderr bytes.Buffer
	cmd := exec.Command("/bin/sh", file.Name())
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CDPATH=/usr"}
	cmd.Stdin = strings.NewReader("must not be read")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", stderr.String())
	require.Equal(t, 7, exit.ExitCode(), "%s", stderr.String())
	require.Empty(t, stderr.String())
	return strings.Split(stdout.String(), "\x00")
}

func TestScriptRunsHostileArgumentsUnchanged(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	dir := filepath.Join(t.TempDir(), "-a 'b\"\n$(touch x) folder")
	require.NoError(t, os.Mkdir(dir, 0o700))
	args := []string{
		"", "-", "--", "-rf", "'", "''", `"`, "\\", "a b", "\n", "tail\n", "*", "~", "$HOME", "`touch " + marker + "`",
		"$(touch " + marker + ")", "; touch " + marker + " #", "&", "|", "!", "{a,b}", "\xff\xfe", "é", "\t", "\r", "#x", "A=B",
		"/tmp/attempt-7", "x/tmp/attempt-7/y:/tmp/attempt-7",
	}
	got := rerun(t, dir, "/tmp/attempt-7", args, map[string]Text{
		"HEISEN_SEED": Text("'$(touch " + marker + ")\n"), "PATH": "/nowhere", "bad name": "x", "TMPDIR": "/tmp/attempt-7",
	})
	temp := got[1]
	require.Equal(t, dir, got[0])
	require.Equal(t, "'$(touch "+marker+")\n", got[2])
	want := append([]string{}, args[:len(args)-2]...)
	want = append(want, temp, "x"+temp+"/y:"+temp)
	require.Equal(t, want, got[3:])
	require.NoFileExists(t, marker)
	require.NoDirExists(t, temp, "the script left its temp folder")
}

func TestScriptQuotesAnyArgument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~\n\t\\'"$]{0,40}`).Draw(t, "argument")
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(text)).Output()
		require.NoError(t, err)
		require.Equal(t, text, string(out))
	})
}

func TestScriptSaysWhatIsNotRecorded(t *testing.T) {
	text := string(script(&Manifest{Environment: Environment{Names: []Text{"AWS_KEY", "X\nexit 55"}}}))
	require.Contains(t, text, "not recorded: AWS_KEY\n")
	require.NotContains(t, text, "exit 55")
}
