package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// procFS is the root of a proc file system; a value, so that tests can use a tree of their own.
type procFS string

// commandBytes is how much of a process's command line is kept.
const commandBytes = 200

// exiting is PF_EXITING of the kernel's include/linux/sched.h: the task is in do_exit and runs no more
// of its program.
const exiting = 0x4

// errStat is a stat line that does not look like proc(5) says.
var errStat = errors.New("malformed stat line")

// stat is the part of /proc/PID/stat (proc_pid_stat(5)) that supervision needs.
type stat struct {
	PID     int
	Comm    string
	State   byte
	Parent  int
	Group   int
	Session int
	Flags   uint64
	// Start is when the process started, in clock ticks (1/100 s) since boot.
	Start uint64
}

// over tells that the process will not run any more: a zombie, or on its way to be one.
func (s stat) over() bool {
	return s.State == 'Z' || s.State == 'X' || s.Flags&exiting != 0
}

// parseStat reads one stat line. The name may hold anything, brackets and spaces too: it ends at the last
// bracket.
func parseStat(line []byte) (stat, error) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return stat{}, errStat
	}
	fields := bytes.Fields(line[end+1:])
	if len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, errStat
	}
	s := stat{Comm: string(line[open+1 : end]), State: fields[0][0]}
	ints := []struct {
		into *int
		text []byte
	}{{&s.PID, bytes.TrimSpace(line[:open])}, {&s.Parent, fields[1]}, {&s.Group, fields[2]}, {&s.Session, fields[3]}}
	for _, f := range ints {
		n, err := strconv.Atoi(string(f.text))
		if err != nil {
			return stat{}, fmt.Errorf("%w: %w", errStat, err)
		}
		*f.into = n
	}
	var err error
	if s.Flags, err = strconv.ParseUint(string(fields[6]), 10, 64); err != nil {
		return stat{}, fmt.Errorf("%w: %w", errStat, err)
	}
	if s.Start, err = strconv.ParseUint(string(fields[19]), 10, 64); err != nil {
		return stat{}, fmt.Errorf("%w: %w", errStat, err)
	}
	return s, nil
}

func (fs procFS) path(pid int, name string) string {
	return filepath.Join(string(fs), strconv.Itoa(pid), name)
}

// stat reads a process's stat line; the error is fs.ErrNotExist or ESRCH where there is no such process.
func (fs procFS) stat(pid int) (stat, error) {
	line, err := os.ReadFile(fs.path(pid, "stat"))
	if err != nil {
		return stat{}, err
	}
	return parseStat(line)
}

// command is the process's command line for a person to read: arguments joined by spaces, everything that
// is not plain text escaped, at most commandBytes bytes; the bracketed name where there is none.
func (fs procFS) command(pid int) string {
	args, err := os.ReadFile(fs.path(pid, "cmdline"))
	if err != nil || len(args) == 0 {
		s, err := fs.stat(pid)
		if err != nil {
			return "[gone]"
		}
		return cut("[" + escape(s.Comm) + "]")
	}
	if len(args) > commandBytes {
		args = args[:commandBytes]
	}
	words := strings.Split(strings.TrimRight(string(args), "\x00"), "\x00")
	return cut(escape(strings.Join(words, " ")))
}

func escape(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func cut(text string) string {
	if len(text) <= commandBytes {
		return text
	}
	return text[:commandBytes-3] + "..."
}

// environ reads the environment a process was executed with.
func (fs procFS) environ(pid int) ([]byte, error) {
	return os.ReadFile(fs.path(pid, "environ"))
}

// lookup finds a variable in a NUL-separated environment; the last definition wins.
func lookup(environ []byte, name string) (value string, found bool) {
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		if len(entry) > len(name) && entry[len(name)] == '=' && string(entry[:len(name)]) == name {
			value, found = string(entry[len(name)+1:]), true
		}
	}
	return value, found
}

// pids lists all processes.
func (fs procFS) pids() ([]int, error) {
	dir, err := os.Open(string(fs))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// children lists the children of all threads of a process (CONFIG_PROC_CHILDREN).
func (fs procFS) children(pid int) []int {
	files, _ := filepath.Glob(fs.path(pid, "task/*/children"))
	var pids []int
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil {
			pids = append(pids, parsePIDs(data)...)
		}
	}
	return pids
}

// descendants lists what hangs below a process at this moment, parents before children.
func (fs procFS) descendants(pid int) []int {
	all := fs.children(pid)
	seen := map[int]bool{pid: true}
	for i := 0; i < len(all); i++ {
		if !seen[all[i]] {
			seen[all[i]] = true
			all = append(all, fs.children(all[i])...)
		}
	}
	return all
}

// parsePIDs reads numbers separated by white space, as in children and cgroup.procs; what is none is
// left out.
func parsePIDs(data []byte) []int {
	var pids []int
	for field := range bytes.FieldsSeq(data) {
		if pid, err := strconv.Atoi(string(field)); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids
}

// counter finds the line "name value" in a flat keyed file such as memory.events or vmstat.
func counter(data []byte, name string) (int64, bool) {
	for line := range bytes.Lines(data) {
		key, value, found := bytes.Cut(bytes.TrimSpace(line), []byte{' '})
		if !found || string(key) != name {
			continue
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		return n, err == nil
	}
	return 0, false
}
