package starve

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
)

// seen is what sampling learned of one attempt.
type seen struct {
	samples int
	// threads and processes are the most that were there at one reading.
	threads, processes int
	// descriptors are the most that its processes had open at one look; hidden tells that a process would not let its own
	// be counted.
	descriptors int64
	hidden      bool
	// cpu and delay are sums over all threads but the main one, in nanoseconds; worst is the largest delay
	// of one of them. A finished thread counts with its last reading.
	cpu, delay, worst int64
	// main is the last reading of the main thread.
	main schedstat
	// mainStart tells how far the main thread's start is known.
	mainStart start
	stall     bounds
	start     bounds
	// starts counts the threads whose first moment on a CPU was seen exactly.
	starts int
	// lost tells that a thread or process could not be read for want of descriptors.
	lost bool
}

// watch follows one attempt's threads. It belongs to the sampler.
type watch struct {
	rec   *record
	procs []*process
	group handle // cgroup.procs, or none
	looks int
	// ended sums the threads that are gone.
	ended struct{ cpu, delay int64 }
	seen  seen
	round uint64
}

type process struct {
	pid   int
	tasks handle // /proc/PID/task
	list  []*task
	// stale asks for the list to be read anew although the number of threads did not change.
	stale bool
}

type task struct {
	tid   int
	main  bool
	file  handle
	last  schedstat
	start start
	found bool
}

// eyes are what the sampler reads with: its buffers and its share of descriptors.
type eyes struct {
	proc     string
	children bool // the kernel has CONFIG_PROC_CHILDREN
	buf      []byte
	names    []byte
	ids      []int

	open, most, limit int
	opened            int64
}

// hold opens a thread's file to keep, if there is a descriptor left for it. Threads leave a quarter of them
// to folders: a thread can be read without one, at a higher price, and a process cannot.
func (e *eyes) hold(folder handle, name string) handle {
	if e.open >= e.limit*3/4 {
		return noHandle
	}
	file, err := openIn(folder, name)
	if err != nil {
		return noHandle
	}
	return e.held(file)
}

func (e *eyes) held(file handle) handle {
	e.open++
	e.most = max(e.most, e.open)
	return file
}

func (e *eyes) drop(file handle) {
	if file != noHandle {
		file.close()
		e.open--
	}
}

// follow begins to watch an attempt. It fails where the attempt is over already: its number may be
// another process's then.
func (e *eyes) follow(rec *record) *watch {
	w := &watch{rec: rec, group: noHandle}
	p := e.process(rec.pid)
	if rec.gone.Load() {
		// Its parent may have reaped it before the folder was opened. If this were not checked, a stranger's
		// threads could be counted as its own.
		if p != nil {
			e.drop(p.tasks)
		}
		return nil
	}
	if p == nil {
		w.seen.lost = true
		return w
	}
	w.procs = append(w.procs, p)
	if rec.group != "" {
		if file, err := openFile(filepath.Join(rec.group, "cgroup.procs")); err == nil {
			w.group = e.held(file)
		}
	}
	return w
}

func (e *eyes) process(pid int) *process {
	if e.open >= e.limit {
		return nil
	}
	tasks, err := openFile(filepath.Join(e.proc, strconv.Itoa(pid), "task"))
	if err != nil {
		return nil
	}
	return &process{pid: pid, tasks: e.held(tasks), stale: true}
}

// look takes one reading of all threads of an attempt and returns how many it read.
func (w *watch) look(e *eyes) int {
	if w.searching() {
		w.search(e)
	}
	w.looks++
	sum := w.ended
	threads, processes, read, files := 0, 0, 0, int64(0)
	kept := w.procs[:0]
	for _, p := range w.procs {
		p.refresh(e, w)
		if len(p.list) == 0 {
			e.drop(p.tasks)
			continue
		}
		kept = append(kept, p)
		alive := 0
		for _, t := range p.list {
			if !t.sample(e, p, w) {
				p.stale = true
				continue
			}
			alive++
			if !t.main {
				sum.cpu, sum.delay = sum.cpu+t.last.cpu, sum.delay+t.last.delay
			}
		}
		threads, read = threads+alive, read+alive
		if alive > 0 {
			processes++
			files += w.descriptors(e, p)
		}
	}
	clear(w.procs[len(kept):])
	w.procs = kept
	s := &w.seen
	s.threads, s.processes, s.descriptors = max(s.threads, threads), max(s.processes, processes), max(s.descriptors, files)
	if read > 0 {
		s.samples++
	}
	// A thread that was read before and ended since is summed in the next look; its last reading must not
	// be missing until then.
	s.cpu, s.delay = max(s.cpu, sum.cpu), max(s.delay, sum.delay)
	return read
}

// descriptors is how many files a process has open. Since Linux 6.2 the kernel tells it as the size of /proc/PID/fd,
// which needs nothing to be opened (fs/proc/fd.c, proc_fd_getattr); before, or where that is 0, the entries are counted,
// which another user's process does not let one do.
func (w *watch) descriptors(e *eyes, p *process) int64 {
	if n := p.tasks.sizeOf("../fd"); n > 0 {
		return n
	}
	folder, err := openIn(p.tasks, "../fd")
	if err != nil {
		w.seen.hidden = w.seen.hidden || errors.Is(err, fs.ErrPermission)
		return 0
	}
	defer folder.close()
	n := int64(0)
	_ = folder.eachEntry(e.names, func(int) { n++ }) // an error is the process's end
	return n
}

// searching tells whether to look for new processes: at the first looks, when a script starts what it
// runs, and then at every eighth, because without a control group it costs a file for every thread.
func (w *watch) searching() bool {
	return w.group != noHandle || w.looks&(w.looks-1) == 0 || w.looks%8 == 0
}

// search finds the attempt's processes: all in its control group, or the children of those known.
func (w *watch) search(e *eyes) {
	if w.group != noHandle {
		if data, err := w.group.readAll(&e.buf); err == nil {
			eachNumber(data, func(pid int) { w.meet(e, pid) })
		}
		return
	}
	if !e.children {
		return
	}
	for i := 0; i < len(w.procs); i++ { // procs grows in the loop: children of children too
		p := w.procs[i]
		p.refresh(e, w)
		for _, t := range p.list {
			file, err := openIn(p.tasks, strconv.Itoa(t.tid)+"/children")
			if err != nil {
				continue
			}
			// All of it: a number that is cut off names a stranger.
			data, err := file.readAll(&e.names)
			file.close()
			if err == nil {
				e.ids = e.ids[:0]
				eachNumber(data, func(pid int) { e.ids = append(e.ids, pid) })
				for _, pid := range e.ids {
					w.meet(e, pid)
				}
			}
		}
	}
}

func (w *watch) meet(e *eyes, pid int) {
	for _, p := range w.procs {
		if p.pid == pid {
			return
		}
	}
	if p := e.process(pid); p != nil {
		w.procs = append(w.procs, p)
	} else if e.open >= e.limit {
		w.seen.lost = true
	}
}

// refresh brings the list of threads up to date, if it changed.
func (p *process) refresh(e *eyes, w *watch) {
	n := p.tasks.threads()
	if !p.stale && n == len(p.list) {
		return
	}
	p.stale = false
	e.ids = e.ids[:0]
	// An error leaves the list empty: the process is gone.
	_ = p.tasks.eachEntry(e.names, func(tid int) { e.ids = append(e.ids, tid) })
	for _, t := range p.list {
		t.found = false
	}
	for _, tid := range e.ids {
		p.find(e, w, tid).found = true
	}
	kept := p.list[:0]
	for _, t := range p.list {
		if t.found {
			kept = append(kept, t)
			continue
		}
		w.bury(e, t)
	}
	clear(p.list[len(kept):])
	p.list = kept
}

func (p *process) find(e *eyes, w *watch, tid int) *task {
	for _, t := range p.list {
		if t.tid == tid {
			return t
		}
	}
	t := &task{tid: tid, main: tid == w.rec.pid}
	t.file = e.hold(p.tasks, strconv.Itoa(tid)+"/schedstat")
	p.list = append(p.list, t)
	e.opened++
	return t
}

// bury counts a finished thread with its last reading.
func (w *watch) bury(e *eyes, t *task) {
	e.drop(t.file)
	t.file = noHandle
	if !t.main {
		w.ended.cpu += t.last.cpu
		w.ended.delay += t.last.delay
	}
}

// sample reads one thread; false means that it is gone.
func (t *task) sample(e *eyes, p *process, w *watch) bool {
	data, err := t.read(e, p)
	if err != nil {
		return false
	}
	now, ok := parseSchedstat(data)
	if !ok {
		return false
	}
	s := &w.seen
	s.stall.addStalls(t.last, now)
	if t.start.see(now, &s.start) {
		s.starts++
	}
	t.last = now
	if t.main {
		s.main, s.mainStart = now, t.start
	} else {
		s.worst = max(s.worst, now.delay)
	}
	return true
}

func (t *task) read(e *eyes, p *process) ([]byte, error) {
	if t.file != noHandle {
		return t.file.read(e.buf)
	}
	file, err := openIn(p.tasks, strconv.Itoa(t.tid)+"/schedstat")
	if err != nil {
		return nil, err
	}
	defer file.close()
	return file.read(e.buf)
}

// leave gives all descriptors back.
func (w *watch) leave(e *eyes) {
	for _, p := range w.procs {
		for _, t := range p.list {
			e.drop(t.file)
		}
		e.drop(p.tasks)
	}
	e.drop(w.group)
	w.procs, w.group = nil, noHandle
}
