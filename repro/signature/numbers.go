package signature

import "strings"

// number is a stand-alone number in a text: s[from:to].
type number struct {
	from, to int
	code     bool // it names something (errno, status), it does not measure
	big      bool // two digits or more, or a fraction
}

// foldNumbers replaces the measurements of one line by <n>. A line without a big one keeps its digits:
// "1 != 2" says more than "<n> != <n>", and small counts are mostly stable.
func foldNumbers(s string) string {
	numbers, any := scanNumbers(s)
	if !any {
		return s
	}
	var b strings.Builder
	done := 0
	for _, n := range numbers {
		if n.code {
			continue
		}
		b.WriteString(s[done:n.from])
		if strings.Count(s[n.from:n.to], ".") == 3 {
			b.WriteString("<ip>")
		} else {
			b.WriteString("<n>")
		}
		done = n.to
	}
	b.WriteString(s[done:])
	return b.String()
}

// scanNumbers finds the numbers of a line, and whether any of them is a big measurement. Digits inside
// a word (utf8, int64, x86) are not numbers.
func scanNumbers(s string) (found []number, big bool) {
	for i := 0; i < len(s); {
		if !digit(s[i]) {
			i++
			continue
		}
		n := number{from: i, to: numberEnd(s, i)}
		i = n.to
		if (n.from > 0 && wordByte(s[n.from-1])) || (n.to < len(s) && wordByte(s[n.to])) {
			i = wordEnd(s, n.to)
			continue
		}
		text := s[n.from:n.to]
		n.code = isCode(s[:n.from]) || loopback(text)
		n.big = len(text) > 1
		n.from = sign(s, n.from)
		big = big || (n.big && !n.code)
		found = append(found, n)
	}
	return found, big
}

// numberEnd is where the digits that start at i end, with the dots and commas inside them.
func numberEnd(s string, i int) int {
	for i < len(s) && (digit(s[i]) || ((s[i] == '.' || s[i] == ',') && i+1 < len(s) && digit(s[i+1]))) {
		i++
	}
	return i
}

func wordEnd(s string, i int) int {
	for i < len(s) && (wordByte(s[i]) || digit(s[i])) {
		i++
	}
	return i
}

// sign takes a minus into the number where it is one and not a hyphen.
func sign(s string, from int) int {
	if from > 0 && s[from-1] == '-' && (from == 1 || strings.IndexByte(" (=[,:", s[from-2]) >= 0) {
		return from - 1
	}
	return from
}

// codes are the words after which a number is a name.
var codes = map[string]bool{
	"errno": true, "status": true, "code": true, "exit": true, "exited": true, "http": true, "signal": true,
	"error": true, "returned": true, "rc": true, "errorcode": true, "wstat": true,
}

// isCode looks at the last word before a number: "exit status 2", "[Errno 98]", "code=0".
func isCode(before string) bool {
	if len(before) > 24 {
		before = before[len(before)-24:]
	}
	before = strings.TrimRight(before, " =:(#-\"'")
	word := before[strings.LastIndexAny(before, " \t([{,.;:=\"'/")+1:]
	return codes[strings.ToLower(word)]
}

func loopback(text string) bool {
	return text == "0.0.0.0" || (strings.HasPrefix(text, "127.") && strings.Count(text, ".") == 3)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func wordByte(c byte) bool {
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80
}
