package interleave

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"heisen/stress/run"
)

// Thread is one thread of a Form.
type Thread struct {
	// Key is the same for the same thread of any attempt: main, main/2 for the second that main created,
	// main/2/1 for the first that one created. Of a thread whose creation nobody saw it is made of its name
	// or of what it did first.
	Key string `json:"key"`
	// Name is its own, as it last was.
	Name string `json:"name,omitempty"`
	// Creator is an index, -1 where that is not known.
	Creator int `json:"creator"`
	// Created, FirstRun and Exited are since the attempt's start, or run.NotSeen.
	Created  time.Duration `json:"created_ns"`
	FirstRun time.Duration `json:"first_run_ns"`
	Exited   time.Duration `json:"exited_ns"`
}

// NeverRan tells that the thread was created and had not run when it, or the record, ended.
func (t Thread) NeverRan() bool { return t.Created != run.NotSeen && t.FirstRun == run.NotSeen }

const mainKey = "main"

// keys names the threads of a trace by where they were created.
func keys(t *run.Trace) []string {
	named := make([]string, len(t.Threads))
	children := ordered(t)
	if len(t.Threads) > 0 && isRoot(t.Threads[0]) {
		spread(named, children, 0, mainKey)
	}
	nameStrangers(t, named, children)
	return named
}

// isRoot tells the main process's main thread, which only stands first.
func isRoot(first run.Thread) bool {
	return first.Parent < 0 && (first.TID == first.PID || first.PID == 0)
}

// ordered lists every thread's children in the order in which it created them.
func ordered(t *run.Trace) [][]int {
	children := make([][]int, len(t.Threads))
	for i, thread := range t.Threads {
		if p := thread.Parent; p >= 0 && p < len(t.Threads) && p != i {
			children[p] = append(children[p], i)
		}
	}
	for _, list := range children {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(t.Threads[a].Created, t.Threads[b].Created) })
	}
	return children
}

// maxPath bounds a key: a chain of threads each of which creates the next must not make them longer and
// longer.
const maxPath = 256

// spread names a thread and all it created. It uses no recursion, for a chain may be thousands long.
func spread(named []string, children [][]int, root int, key string) {
	named[root] = key
	for todo := []int{root}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for n, c := range children[p] {
			if named[c] != "" {
				continue
			}
			if named[c] = named[p] + "/" + strconv.Itoa(n+1); len(named[c]) > maxPath {
				named[c] = "..." + digest(named[c])
			}
			todo = append(todo, c)
		}
	}
}

// nameStrangers names the threads whose creation nobody saw: by their own name, or else by what they did
// first, and by their number among those alike.
func nameStrangers(t *run.Trace, named []string, children [][]int) {
	first := make([]string, len(t.Threads))
	var order []int
	for _, p := range t.Points {
		if p.Thread < 0 || p.Thread >= len(named) || named[p.Thread] != "" || first[p.Thread] != "" {
			continue
		}
		first[p.Thread] = p.Name
		order = append(order, p.Thread)
	}
	for i := range named {
		if named[i] == "" && first[i] == "" {
			order = append(order, i)
		}
	}
	alike := map[string]int{}
	for _, i := range order {
		if named[i] != "" {
			continue // the child of a stranger named before
		}
		is := "thread " + cmp.Or(fold(t.Threads[i].Name).text, "that first did "+fold(first[i]).text)
		is = strings.ReplaceAll(is, slot, "@")
		if alike[is]++; alike[is] > 1 {
			is = fmt.Sprintf("%s, number %d", is, alike[is])
		}
		spread(named, children, i, is)
	}
}
