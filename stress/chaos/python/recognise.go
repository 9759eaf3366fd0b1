package python

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// interpreter matches the names under which CPython is installed.
var interpreter = regexp.MustCompile(`^python([23](\.\d+)?t?)?$`)

// runners are programs in Python that are often installed with a launcher that is no script.
var runners = map[string]bool{"pytest": true, "py.test": true, "tox": true, "nox": true, "ipython": true, "uv": true, "poetry": true, "pdm": true}

// shebangRoom is how much of a script's first line is looked at; the kernel looks at 256 bytes
// (BINPRM_BUF_SIZE in include/uapi/linux/binfmts.h).
const shebangRoom = 256

// Recognise tells whether a command runs Python, from the executable's name or, for a script, from its first
// line. What a shell script starts cannot be seen so.
func Recognise(executable string) bool {
	name := filepath.Base(executable)
	if interpreter.MatchString(name) || runners[name] {
		return true
	}
	file, err := os.Open(executable)
	if err != nil {
		return false
	}
	defer file.Close()
	head := make([]byte, shebangRoom)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return false
	}
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	if !bytes.HasPrefix(line, []byte("#!")) {
		return false
	}
	for _, word := range bytes.Fields(line[2:]) { // #!/usr/bin/env python3
		if interpreter.MatchString(filepath.Base(string(word))) {
			return true
		}
	}
	return false
}
