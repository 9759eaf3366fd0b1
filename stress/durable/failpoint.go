package durable

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Failpoints is asked at every named point where a crash or an error matters; what it returns is what the
// step at that point fails with. Nil has no points. It is called from several goroutines.
type Failpoints func(name string) error

// Hit asks at one point; nil Failpoints let everything pass.
func (f Failpoints) Hit(name string) error {
	if f == nil {
		return nil
	}
	return f(name)
}

// Under returns Failpoints that put prefix and a dot before every name, so that one helper has names of
// its own for each of its users.
func (f Failpoints) Under(prefix string) Failpoints {
	if f == nil {
		return nil
	}
	return func(name string) error { return f(prefix + "." + name) }
}

// ParseFailpoints reads a list such as
//
//	journal.sync=kill@3,journal.write=ENOSPC@2+,journal.seal.rename=block
//
// of NAME=ACTION[@N[+]], separated by commas. The action happens at the Nth hit of the point (default 1),
// with a plus at that and every later one. Actions: kill (SIGKILL to the process itself), block (the
// caller never returns), or the name of an errno, which the point returns. Empty text gives nil.
func ParseFailpoints(text string) (Failpoints, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	points := make(map[string][]*point)
	for _, part := range strings.Split(text, ",") {
		name, p, err := parsePoint(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("parse failpoint %q: %w", part, err)
		}
		points[name] = append(points[name], p)
	}
	return func(name string) (err error) {
		for _, p := range points[name] {
			// All of them count the hit, whichever acts.
			if acted := p.hit(); acted != nil && err == nil {
				err = fmt.Errorf("failpoint %s: %w", name, acted)
			}
		}
		return err
	}, nil
}

// point is one parsed item: what happens, and at which hits.
type point struct {
	action func() error
	at     int64
	onward bool
	hits   atomic.Int64
}

func (p *point) hit() error {
	n := p.hits.Add(1)
	if n == p.at || p.onward && n > p.at {
		return p.action()
	}
	return nil
}

func parsePoint(text string) (string, *point, error) {
	name, what, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return "", nil, fmt.Errorf("want NAME=ACTION[@N[+]]")
	}
	action, count, counted := strings.Cut(what, "@")
	p := &point{at: 1}
	if counted {
		number, onward := strings.CutSuffix(count, "+")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 {
			return "", nil, fmt.Errorf("hit %q is not a number from 1", number)
		}
		p.at, p.onward = n, onward
	}
	var err error
	p.action, err = parseAction(action)
	return name, p, err
}

func parseAction(text string) (func() error, error) {
	switch text {
	case "kill":
		return killSelf, nil
	case "block":
		return block, nil
	}
	if errno, ok := errnos[text]; ok {
		return func() error { return errno }, nil
	}
	return nil, fmt.Errorf("unknown action %q: want kill, block or an errno such as EIO", text)
}

// errnos are those that disks and folders really return.
var errnos = map[string]unix.Errno{
	"EACCES": unix.EACCES, "EBADF": unix.EBADF, "EDQUOT": unix.EDQUOT, "EIO": unix.EIO,
	"EMFILE": unix.EMFILE, "ENFILE": unix.ENFILE, "ENOENT": unix.ENOENT, "ENOSPC": unix.ENOSPC,
	"EPERM": unix.EPERM, "EROFS": unix.EROFS,
}

// killSelf does not return: a signal to oneself may be delivered a moment later, and no further step must
// happen in that moment.
func killSelf() error {
	if err := unix.Kill(os.Getpid(), unix.SIGKILL); err != nil {
		return err
	}
	return block()
}

// block sleeps instead of selecting on nothing, which the runtime would report as a deadlock.
func block() error {
	for {
		time.Sleep(time.Hour)
	}
}
