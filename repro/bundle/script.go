package bundle

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// shellName is what a shell accepts as a variable (POSIX.1-2017, XBD 3.235).
var shellName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// script writes a POSIX shell script that runs the attempt's plain command once more, without heisen.
// The temp folder the attempt had is gone, so wherever its path stands the script's own is put.
func script(m *Manifest) []byte {
	var b strings.Builder
	temp := string(m.Attempt.Temp)
	fmt.Fprintf(&b, scriptHead, m.Attempt.Seq, strconv.QuoteToASCII(m.Campaign))
	notRecorded(&b, m.Environment.Names)
	b.WriteString(scriptTemp)
	fmt.Fprintf(&b, "  cd -- %s || exit 1\n", quoteTemp(string(m.Command.Dir), temp))
	for _, name := range slices.Sorted(maps.Keys(m.Environment.Values)) {
		if shellName.MatchString(name) && name != "TMPDIR" && name != "PWD" {
			fmt.Fprintf(&b, "  export %s=%s\n", name, quoteTemp(string(m.Environment.Values[name]), temp))
		}
	}
	b.WriteString("  export TMPDIR=\"$heisen_tmp\"\n")
	b.WriteString("  exec " + quoteTemp(executable(m.Command), temp))
	for _, arg := range m.Command.Args[min(1, len(m.Command.Args)):] {
		b.WriteString(" \\\n    " + quoteTemp(string(arg), temp))
	}
	b.WriteString(" </dev/null\n)\n")
	return []byte(b.String())
}

const scriptHead = `#!/bin/sh
# Runs the command of attempt %d of campaign %s once, with the environment that was recorded.
# Read it before you run it: sh repro.sh
# It exits as the command does. The command's temp folder is made anew and removed afterwards.
`

const scriptTemp = `heisen_tmp=$(mktemp -d "${TMPDIR:-/tmp}/heisen-repro.XXXXXX") || exit 1
trap 'rm -rf -- "$heisen_tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
(
`

// executable is the resolved path: looking the name up again may find another program.
func executable(c Command) string {
	if c.Path != "" {
		return string(c.Path)
	}
	if len(c.Args) > 0 {
		return string(c.Args[0])
	}
	return "false"
}

// notRecorded lists in comments the variables that were set but whose values are not in the bundle. A
// name that is no shell name might end the comment, so it stays out.
func notRecorded(b *strings.Builder, names []Text) {
	line := "# Set then, but not recorded:"
	shown := false
	for _, name := range names {
		if !shellName.MatchString(string(name)) {
			continue
		}
		shown = true
		if len(line)+len(name) > 100 {
			b.WriteString(line + "\n")
			line = "#  "
		}
		line += " " + string(name)
	}
	if shown {
		b.WriteString(line + "\n")
	}
}

// quoteTemp quotes text for the shell, with the script's own temp folder in place of the attempt's.
func quoteTemp(text, temp string) string {
	if temp == "" || !strings.Contains(text, temp) {
		return quote(text)
	}
	parts := strings.Split(text, temp)
	for i, part := range parts {
		if parts[i] = ""; part != "" {
			parts[i] = quote(part)
		}
	}
	return strings.Join(parts, `"$heisen_tmp"`)
}

// quote makes one word of text: nothing is special between single quotes but the quote itself.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
