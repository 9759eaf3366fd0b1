package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInOrderMergesByTime(t *testing.T) {
	first := "begin\t3.12\t1\tgil\nthread\t10\t0\t1\t1\nmade\t30\t0\tk\ts\t1\t5\tn\nheld\t5\t0\n"
	second := "begin\t3.12\t2\tgil\nthread\t20\t0.1\t2\t2\npoint\t40\t0.1\tk\ts\t1"
	require.Equal(t, "begin\t3.12\t1\tgil\nbegin\t3.12\t2\tgil\nthread\t10\t0\t1\t1\nthread\t20\t0.1\t2\t2\n"+
		"made\t30\t0\tk\ts\t1\t5\tn\nheld\t5\t0\npoint\t40\t0.1\tk\ts\t1\n", string(inOrder([][]byte{[]byte(first), []byte(second)})))
	require.Equal(t, "fault\tx\n", string(inOrder([][]byte{[]byte("fault\tx")})))
}

const family = `import os, subprocess, sys, threading
threading.Event().set()
child = os.fork()
threading.Event().set()
if child == 0:
    for _ in range(3000): threading.Event().set()
    os._exit(0)
os.waitpid(child, 0)
subprocess.check_call([sys.executable, "-c", "import threading; threading.Event().set()"])
threading.Event().set()
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
`

// Each process tells into memory of its own, and no line is lost: not of a fork that ends at once, not of a program
// that executes itself, not beyond one mapping. No telling is a write, at which another thread could go on.
func TestProcessesTellIntoMemory(t *testing.T) {
	script := filepath.Join(t.TempDir(), "family.py")
	require.NoError(t, os.WriteFile(script, []byte(family), 0o600))
	for _, python := range interpreters(t) {
		if !modern(t, python) || exec.Command(python, "-c", "import _ctypes").Run() != nil {
			continue
		}
		dir := t.TempDir()
		hooks, err := Install(dir)
		require.NoError(t, err)
		record := filepath.Join(dir, "record")
		require.NoError(t, os.WriteFile(record, nil, 0o600))
		plan := always(map[string]string{SetRate: "0"})
		cmd := exec.Command(python, script)
		cmd.Env = append(os.Environ(), hooks.Environ(plan, Files{Record: record}, func(string) string { return "" })...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		written, err := os.ReadFile(record)
		require.NoError(t, err)
		require.Empty(t, string(written), python)

		all, err := readRecord(record)
		require.NoError(t, err)
		require.Equal(t, 4, strings.Count(string(all), "begin\t"), "main, its child, main again, its child")
		require.Equal(t, 2*(3000+5), strings.Count(string(all), "event.set.exit\t"), python)
		r := Collect(all, plan, 0)
		require.Zero(t, r.Dropped)
	}
}
