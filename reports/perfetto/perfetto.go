// Package perfetto writes one attempt's order of things in the format of ui.perfetto.dev: threads, when each was on a
// CPU, holds, and what was told of. The numbers of fields are those of protos/perfetto/trace in Perfetto's source.
package perfetto

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"heisen/reports/evidence"
	"heisen/reports/text"
	"heisen/repro/provenance"
)

// Fields of Trace, TracePacket, TrackDescriptor, ProcessDescriptor, ThreadDescriptor and TrackEvent.
const (
	tracePacket = 1

	packetTimestamp  = 8
	packetSequence   = 10
	packetEvent      = 11
	packetDescriptor = 60

	trackUUID    = 1
	trackName    = 2
	trackProcess = 3
	trackThread  = 4
	trackParent  = 5

	processPID  = 1
	processName = 6
	threadPID   = 1
	threadTID   = 2
	threadName  = 5

	eventType  = 9
	eventTrack = 11
	eventNames = 22 // categories
	eventName  = 23
)

// TrackEvent.Type.
const (
	sliceBegin = 1
	sliceEnd   = 2
	instant    = 3
)

// Tracks: the attempt's, and of each thread its own and one for its holds, which may overlap its time on a CPU.
const attemptTrack = 1

func threadTrack(i int) uint64 { return uint64(10 + 2*i) }
func holdTrack(i int) uint64   { return uint64(11 + 2*i) }

// event is one TrackEvent.
type event struct {
	at       time.Duration
	kind     uint64
	track    uint64
	name     string
	category string
}

// Write writes the trace; times are nanoseconds since the attempt's start. An attempt without a recorded order is an
// error.
func Write(w io.Writer, a *evidence.Attempt) error {
	if a == nil || a.Trace == nil {
		return fmt.Errorf("write perfetto: the attempt has no recorded order: hunt with --sched on, --marker or --chaos")
	}
	var out []byte
	for _, d := range descriptors(a) {
		out = packet(out, protowire.AppendBytes(tag(nil, packetDescriptor, protowire.BytesType), d))
	}
	for _, e := range events(a) {
		body := number(nil, packetTimestamp, uint64(max(e.at, 0)))
		body = protowire.AppendBytes(tag(body, packetEvent, protowire.BytesType), e.encode())
		out = packet(out, body)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write perfetto: %w", err)
	}
	return nil
}

func packet(out, body []byte) []byte {
	body = number(body, packetSequence, 1)
	return protowire.AppendBytes(tag(out, tracePacket, protowire.BytesType), body)
}

func tag(b []byte, field protowire.Number, t protowire.Type) []byte {
	return protowire.AppendTag(b, field, t)
}

func number(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(tag(b, field, protowire.VarintType), v)
}

func words(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(tag(b, field, protowire.BytesType), text.Escape(provenance.Scrub(s)))
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(tag(b, field, protowire.BytesType), m)
}

// descriptors name the tracks.
func descriptors(a *evidence.Attempt) [][]byte {
	pid := uint64(1)
	if len(a.Trace.Threads) > 0 {
		pid = uint64(a.Trace.Threads[0].PID)
	}
	name := fmt.Sprintf("attempt %d: %s", a.Manifest.Attempt.Seq, text.QuoteAll(a.Args()))
	process := words(number(nil, processPID, pid), processName, name)
	list := [][]byte{message(number(nil, trackUUID, attemptTrack), trackProcess, process)}
	for i, t := range a.Trace.Threads {
		thread := words(number(number(nil, threadPID, uint64(t.PID)), threadTID, uint64(t.TID)), threadName, cmp.Or(t.Name, "thread"))
		list = append(list, message(number(nil, trackUUID, threadTrack(i)), trackThread, thread))
	}
	for i := range a.Trace.Threads {
		if held(a, i) {
			d := words(number(nil, trackUUID, holdTrack(i)), trackName, "held: "+a.Trace.Threads[i].Name)
			list = append(list, number(d, trackParent, threadTrack(i)))
		}
	}
	return list
}

func held(a *evidence.Attempt, thread int) bool {
	return a.Plan != nil && slices.ContainsFunc(a.Plan.Holds, func(h evidence.Hold) bool { return h.Placed && h.Thread == thread })
}

// events are sorted by time, and of one time the ends first: slices of one track must not overlap.
func events(a *evidence.Attempt) []event {
	var list []event
	slice := func(track uint64, from, to time.Duration, name, category string) {
		list = append(list, event{from, sliceBegin, track, name, category}, event{max(to, from+1), sliceEnd, track, "", ""})
	}
	for _, s := range a.Spans {
		name := fmt.Sprintf("on CPU %d", s.CPU)
		if s.Preempted {
			name += ", then preempted"
		}
		slice(threadTrack(s.Thread), s.From, s.To, name, "cpu")
	}
	if a.Plan != nil {
		for _, h := range a.Plan.Holds {
			if h.Placed {
				slice(holdTrack(h.Thread), h.At, h.At+h.Held, "held at "+h.Kind, "hold")
			}
		}
	}
	for _, p := range a.Trace.Points {
		track := uint64(attemptTrack)
		if p.Thread >= 0 {
			track = threadTrack(p.Thread)
		}
		list = append(list, event{p.At, instant, track, strings.TrimSpace(p.Name + " " + strings.Join(p.Fields, " ")), string(p.Source)})
	}
	order := map[uint64]int{sliceEnd: 0, sliceBegin: 1, instant: 2}
	slices.SortStableFunc(list, func(x, y event) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(order[x.kind], order[y.kind]))
	})
	return list
}

func (e event) encode() []byte {
	b := number(number(nil, eventType, e.kind), eventTrack, e.track)
	if e.kind != sliceEnd {
		b = words(words(b, eventNames, e.category), eventName, e.name)
	}
	return b
}
