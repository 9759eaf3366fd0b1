package interleave

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	"heisen/stress/run"
)

// Brackets of an identity in a key. Control characters in a name are replaced before it is folded.
const (
	opens  = "\x01"
	closes = "\x02"
)

// thing begins the name of an identity that is no thread.
const thing = "~"

// writer puts steps into keys and gives out the names and numbers of identities.
type writer struct {
	trace  *run.Trace
	named  []string // threads' keys
	folder folder
	hash   hash.Hash
	form   Form
	births map[string]string // by the text of an address, or the slot of a thread
	born   map[string]int    // identities by place of birth
	byTID  map[string]int
}

func newWriter(t *run.Trace) *writer {
	w := &writer{trace: t, named: keys(t), folder: folder{known: map[string]folded{}}, hash: sha256.New(),
		births: map[string]string{}, born: map[string]int{}, byTID: map[string]int{}}
	w.form.Numbers = map[string]int{}
	for i, th := range t.Threads {
		creator := th.Parent
		if creator >= len(t.Threads) || creator < 0 {
			creator = -1
		}
		w.form.Threads = append(w.form.Threads, Thread{Key: w.named[i], Name: th.Name, Creator: creator,
			Created: th.Created, FirstRun: th.FirstRun, Exited: th.Exited})
		w.byTID[strconv.Itoa(th.TID)] = i
	}
	_, _ = io.WriteString(w.hash, formVersion)
	if len(w.named) > 0 && w.named[0] == mainKey {
		w.form.Numbers[mainKey] = 1
	}
	return w
}

// thread is a thread in a key.
func (w *writer) thread(i int) string { return w.identity(w.named[i]) }

// identity is a name in a key, numbered if it is new.
func (w *writer) identity(birth string) string {
	if _, ok := w.form.Numbers[birth]; !ok && len(w.form.Numbers) < MaxEvents {
		w.form.Numbers[birth] = len(w.form.Numbers) + 1
	}
	return opens + birth + closes
}

// write adds a step to the form and to the variant's hash.
func (w *writer) write(s step) {
	e := Event{Thread: s.thread, Source: run.FromSched, Starts: -1, At: s.at}
	switch s.kind {
	case create:
		e.Key = w.thread(s.thread) + " creates " + w.thread(s.child)
	case firstRun:
		e.Starts = s.thread
		e.Key = w.thread(s.thread) + " first runs"
	case exit:
		e.Key = w.thread(s.thread) + " ends"
	case marked:
		e.Source, e.Key = w.trace.Points[s.point].Source, w.mark(s)
	}
	_, _ = io.WriteString(w.hash, e.Key+"\n")
	if len(w.form.Events) >= MaxEvents {
		w.form.Left++
		return
	}
	w.form.Events = append(w.form.Events, e)
}

// mark puts a marked point into a key.
func (w *writer) mark(s step) string {
	p := w.trace.Points[s.point]
	name := w.folder.fold(p.Name)
	var parts []string
	if s.thread >= 0 {
		parts = append(parts, w.thread(s.thread))
	}
	parts = append(parts, w.filled(name, name.text, 0))
	for i, field := range p.Fields {
		f := w.folder.fold(field)
		if _, ok := w.known(field); ok {
			f = folded{text: slot, ids: []string{field}}
		}
		parts = append(parts, w.filled(f, name.text, i+1))
	}
	return strings.Join(parts, " ")
}

// known finds the thread of this attempt whose number a text is. Numbers below 100 are more often values.
func (w *writer) known(text string) (thread int, ok bool) {
	if len(text) < 3 {
		return 0, false
	}
	thread, ok = w.byTID[text]
	return thread, ok
}

// filled puts identities into the slots of a folded text. The place is the event's name and which of its
// fields it is.
func (w *writer) filled(f folded, event string, field int) string {
	if len(f.ids) == 0 {
		return f.text
	}
	names := make([]string, len(f.ids))
	for i, id := range f.ids {
		if thread, ok := w.known(id); ok {
			names[i] = w.thread(thread)
			continue
		}
		birth, ok := w.births[id]
		if !ok {
			place := fmt.Sprintf("%s.%d", strings.ReplaceAll(event, slot, "@"), field)
			w.born[place]++
			birth = fmt.Sprintf("%s%s #%d", thing, place, w.born[place])
			w.births[id] = birth
		}
		names[i] = w.identity(birth)
	}
	return f.fill(names)
}

// Text is an event for people, with identities as @1, @2 in the order of their first appearance.
func (f *Form) Text(e Event) string { return render(e.Key, f.Numbers) }

// render puts numbers in the place of the identities in a key.
func render(key string, numbers map[string]int) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(key, opens)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		birth, after, _ := strings.Cut(rest, closes)
		b.WriteString(shown(birth, numbers))
		key = after
	}
}

func shown(birth string, numbers map[string]int) string {
	n, ok := numbers[birth]
	switch {
	case birth == mainKey:
		return mainKey
	case !ok:
		return "@?"
	}
	return "@" + strconv.Itoa(n)
}

// bare is a key by which the same event of two attempts is found where it is known who did it: without the
// things it was done with, for what these are called depends on who touched them first. Where it is not known
// who did it, the things tell.
func bare(e Event) string {
	if e.Thread < 0 {
		return e.Key
	}
	var b strings.Builder
	for key := e.Key; ; {
		before, rest, found := strings.Cut(key, opens)
		b.WriteString(before)
		if !found {
			return strings.TrimRight(b.String(), " ")
		}
		birth, after, _ := strings.Cut(rest, closes)
		if !strings.HasPrefix(birth, thing) {
			b.WriteString(opens + birth + closes)
		} else if strings.HasSuffix(b.String(), " ") {
			after = strings.TrimPrefix(after, " ")
		}
		key = after
	}
}
