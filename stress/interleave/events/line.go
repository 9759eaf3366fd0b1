package events

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds on one line.
const (
	maxLine = 4096 // with its newline
	maxName = 128
	// maxID is the kernel's highest process or thread id (PID_MAX_LIMIT, include/linux/threads.h).
	maxID = 1 << 22
)

// noTime is the time of an event that has none.
const noTime int64 = -1

// event is one line, read.
type event struct {
	at int64 // of CLOCK_MONOTONIC, in nanoseconds, or noTime
	// pid and tid are 0 where the line does not tell.
	pid, tid int
	name     string
	fields   []string
}

// size is about what the event takes in memory.
func (e event) size() int {
	size := 96 + len(e.name)
	for _, f := range e.fields {
		size += 16 + len(f)
	}
	return size
}

// whole cuts a line, without its newline, where another writer's line begins in it. half tells that there
// was something before.
func whole(line []byte) (rest []byte, half bool) {
	for at := bytes.LastIndexByte(line, '@'); at > 0; at = bytes.LastIndexByte(line[:at], '@') {
		if _, _, ok := parseHead(line[at:]); ok {
			return line[at:], len(bytes.Trim(line[:at], " \t")) > 0
		}
	}
	return line, false
}

// parse reads one line without its newline; ok tells whether it is an event.
func parse(line []byte) (e event, ok bool) {
	for _, b := range line {
		if (b < ' ' && b != '\t') || b == 0x7f {
			return event{}, false
		}
	}
	line = bytes.TrimLeft(line, " \t")
	e.at = noTime
	if len(line) > 0 && line[0] == '@' {
		if e, line, ok = parseHead(line); !ok {
			return event{}, false
		}
	}
	words := bytes.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) == 0 {
		return event{}, false
	}
	if e.name = decode(words[0]); e.name == "" || len(e.name) > maxName || !utf8.ValidString(e.name) {
		return event{}, false
	}
	for _, w := range words[1:] {
		e.fields = append(e.fields, strings.ToValidUTF8(decode(w), "\uFFFD"))
	}
	return e, true
}

// maxHead bounds where a head ends, so that a line of nothing but '@' costs no more than others.
const maxHead = 40

// parseHead reads "@NS:PID:TID ".
func parseHead(line []byte) (e event, rest []byte, ok bool) {
	end := bytes.IndexByte(line[:min(len(line), maxHead)], ' ')
	if end < 0 {
		return event{}, nil, false
	}
	ns, ids, _ := bytes.Cut(line[1:end], []byte{':'})
	pid, tid, found := bytes.Cut(ids, []byte{':'})
	if !found {
		return event{}, nil, false
	}
	at, ok1 := number(ns, noTime, math.MaxInt64)
	p, ok2 := number(pid, 0, maxID)
	t, ok3 := number(tid, 0, maxID)
	return event{at: at, pid: int(p), tid: int(t)}, line[end+1:], ok1 && ok2 && ok3
}

// number reads a decimal that may be left out.
func number(text []byte, without, most int64) (int64, bool) {
	if len(text) == 0 {
		return without, true
	}
	if text[0] == '+' || text[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil && n <= most
}

// decode undoes the escapes of a word.
func decode(word []byte) string {
	if bytes.IndexByte(word, '%') < 0 {
		return string(word)
	}
	out := make([]byte, 0, len(word))
	for i := 0; i < len(word); i++ {
		switch {
		case word[i] != '%':
			out = append(out, word[i])
		case i+1 < len(word) && word[i+1] == '.':
			i++
		case i+2 < len(word) && isHex(word[i+1]) && isHex(word[i+2]):
			b, _ := strconv.ParseUint(string(word[i+1:i+3]), 16, 8)
			out = append(out, byte(b))
			i += 2
		default:
			out = append(out, '%')
		}
	}
	return string(out)
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}
