package starve

import (
	"errors"
	"sync"
)

var (
	errSchedstat = errors.New("schedstat is not what proc(5) says")
	errRation    = errors.New("left out")
)

// groupThrottle reads the throttling of one attempt's own control group: what it was at the attempt's
// start, since a group may serve one attempt after another, and at its end.
type groupThrottle struct {
	file  handle
	begin throttling
	end   throttling
	ok    bool
	once  sync.Once
}

// openGroupThrottle returns nil where the group has no CPU controller: then heisen's own group says what
// there is to say, because the attempt runs under the same quota.
func openGroupThrottle(cgroup string) *groupThrottle {
	if cgroup == "" {
		return nil
	}
	file, err := openFile(cgroup + "/cpu.stat")
	if err != nil {
		return nil
	}
	g := &groupThrottle{file: file}
	if g.begin, g.ok = g.read(); !g.ok {
		file.close()
		return nil
	}
	return g
}

func (g *groupThrottle) read() (throttling, bool) {
	var buf [1024]byte
	data, err := g.file.read(buf[:])
	if err != nil {
		return throttling{}, false
	}
	return parseThrottling(data)
}

// close takes the last reading and gives the descriptor back. A nil group has nothing to close.
func (g *groupThrottle) close() {
	if g == nil {
		return
	}
	g.once.Do(func() {
		g.end, g.ok = g.read()
		g.file.close()
	})
}
