package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// StartError says why a command could not be executed. Errors.Is finds the errno.
type StartError struct {
	Path string
	Err  error
	// Hint is what is probably wrong and what to do.
	Hint string
}

func (e *StartError) Error() string {
	return fmt.Sprintf("start %s: %v: %s", e.Path, e.Err, e.Hint)
}

func (e *StartError) Unwrap() error { return e.Err }

// explainStart finds out what execve(2) or chdir(2) meant, by looking at the files. shim is how many
// arguments stand before the command itself.
func explainStart(inv invocation, shim int, errno syscall.Errno) error {
	path := inv.path
	if shim > 0 {
		path = inv.args[shim]
	}
	return &StartError{Path: path, Err: errno, Hint: hint(inv, path, errno)}
}

func hint(inv invocation, path string, errno syscall.Errno) string {
	if inv.dir != "" {
		if info, err := os.Stat(inv.dir); err != nil || !info.IsDir() {
			return fmt.Sprintf("the working folder %s is not there or no folder: create it, or choose another one", inv.dir)
		}
	}
	switch errno {
	case syscall.ENOENT, syscall.ENOTDIR:
		return missing(path)
	case syscall.EACCES, syscall.EPERM:
		return forbidden(path)
	case syscall.ENOEXEC:
		return "not a program for this machine: build it for this architecture, or give a script a first line such as #!/bin/sh"
	case syscall.E2BIG:
		return fmt.Sprintf("arguments and environment are too long together (%d KiB; the kernel takes a quarter of ulimit -s, and 128 KiB for any one): shorten them, or pass a file",
			size(inv)>>10)
	case syscall.ETXTBSY:
		return "the program is still open for writing: wait until the build has finished, and close it"
	case syscall.ELOOP:
		return "too many symbolic links: see where they lead with namei"
	}
	return "see execve(2)"
}

func size(inv invocation) int {
	n := 0
	for _, text := range append(append([]string{}, inv.args...), inv.env...) {
		n += len(text) + 1
	}
	return n
}

// missing explains ENOENT: the file, or the interpreter it names.
func missing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return "there is no such file: check the spelling and the working folder"
	}
	interpreter := shebang(path)
	if interpreter == "" {
		return "the file is there, but not the loader it names: install the libraries it was built for, or build it statically"
	}
	if strings.HasSuffix(interpreter, "\r") {
		return "its first line ends in a carriage return: convert the script to Unix line ends"
	}
	return fmt.Sprintf("its first line names the interpreter %s, which is not there: install it, or correct the line", interpreter)
}

// forbidden explains EACCES: which part of the path, or of what the first line names, is not for us.
func forbidden(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "a folder on the way to it may not be entered: see namei -l"
	case err == nil && info.IsDir():
		return "it is a folder: name the program in it"
	case err == nil && info.Mode()&0o111 == 0:
		return "it is not executable: chmod +x it, or run it through its interpreter"
	}
	if interpreter := shebang(path); interpreter != "" {
		if info, err := os.Stat(interpreter); err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
			return fmt.Sprintf("its interpreter %s is not executable: correct its first line", interpreter)
		}
	}
	return fmt.Sprintf("this user may not execute it, or %s is mounted noexec", filepath.Dir(path))
}

// shebang is the interpreter a script's first line names, "" where there is none.
func shebang(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 256).ReadSlice('\n')
	rest, found := strings.CutPrefix(string(line), "#!")
	if !found {
		return ""
	}
	words := strings.Fields(strings.TrimSuffix(rest, "\n"))
	if len(words) == 0 {
		return ""
	}
	if strings.HasSuffix(strings.TrimSuffix(rest, "\n"), "\r") && len(words) == 1 {
		return words[0] + "\r"
	}
	return words[0]
}
