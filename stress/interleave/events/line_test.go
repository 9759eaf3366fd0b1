package events

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("n", maxName)
	cases := []struct {
		name, line string
		want       event
	}{
		{"a name alone", "ready", event{at: noTime, name: "ready"}},
		{"as a shell writes it", "  ready\t80  up ", event{at: noTime, name: "ready", fields: []string{"80", "up"}}},
		{"as a client writes it", "@12:34:56 ready 80", event{at: 12, pid: 34, tid: 56, name: "ready", fields: []string{"80"}}},
		{"only the process", "@:34: ready", event{at: noTime, pid: 34, name: "ready"}},
		{"nothing known", "@:: ready", event{at: noTime, name: "ready"}},
		{"time 0", "@0:: ready", event{name: "ready"}},
		{"escapes", "a%20b %41%0a%25 %. x%.y", event{at: noTime, name: "a b", fields: []string{"A\n%", "", "xy"}}},
		{"a percent sign is itself", "at 50% %4 %zz %", event{at: noTime, name: "at", fields: []string{"50%", "%4", "%zz", "%"}}},
		{"UTF-8", "größe \u2028 日本", event{at: noTime, name: "größe", fields: []string{"\u2028", "日本"}}},
		{"bytes that are no UTF-8 in a field", "a \xff\xfe", event{at: noTime, name: "a", fields: []string{"\uFFFD"}}},
		{"the longest name", long, event{at: noTime, name: long}},
		{"an address is no head", "mail a@1:2 @x", event{at: noTime, name: "mail", fields: []string{"a@1:2", "@x"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, ok := parse([]byte(c.line))
			require.True(t, ok)
			require.Equal(t, c.want, got)
		})
	}
}

func TestLinesThatAreNone(t *testing.T) {
	for name, line := range map[string]string{
		"a control character": "a\x01b", "NUL": "a\x00", "DEL": "a\x7f", "carriage return": "a\r", "escape": "\x1b[31mred",
		"no UTF-8 in the name": "\xffname", "a head alone": "@1:2:3", "a head and blanks": "@1:2:3   ",
		"two numbers": "@1:2 name", "four numbers": "@1:2:3:4 name", "no number": "@x:2:3 name",
		"a sign": "@-1:2:3 name", "plus": "@+1:2:3 name", "time beyond 63 bits": "@9223372036854775808:2:3 name",
		"an id the kernel never gives": "@1:4194305:3 name", "a tab after the head": "@1:2:3\tname",
		"an empty name": "%. field", "a long name": strings.Repeat("n", maxName+1), "blanks": " \t ",
	} {
		_, ok := parse([]byte(line))
		require.False(t, ok, name)
	}
}

func TestHalfALineBeforeAnother(t *testing.T) {
	for line, want := range map[string]string{
		"@12:3@45:6:7 name f": "@45:6:7 name f", "nam@45:6:7 name": "@45:6:7 name", "@1:2:3 a f@4:5:6 b@7:8:9 c": "@7:8:9 c",
	} {
		rest, half := whole([]byte(line))
		require.True(t, half, line)
		require.Equal(t, want, string(rest))
	}
	for _, line := range []string{"@1:2:3 name", "name a@b @1:2 x", "", "@", "name @1:2:3"} {
		rest, half := whole([]byte(line))
		require.False(t, half, line)
		require.Equal(t, line, string(rest))
	}
	rest, half := whole([]byte("  @1:2:3 name"))
	require.False(t, half, "blanks are nothing")
	require.Equal(t, "@1:2:3 name", string(rest))
}
