package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// jobsAttached is -j300, as make, parallel and regrtest have it.
var jobsAttached = regexp.MustCompile(`^-j[0-9]+$`)

// apart writes -j300 as -j 300 for the library, and gives --serve the address that it may go without, up to the "--"
// after which everything is the test's.
func apart(args []string) []string {
	var out []string
	for i, a := range args {
		switch {
		case a == "--":
			return append(out, args[i:]...)
		case jobsAttached.MatchString(a):
			out = append(out, "-j", a[2:])
		case serveAlone.MatchString(a) && (i+1 == len(args) || !serveAddress.MatchString(args[i+1])):
			out = append(out, a, servedAt)
		default:
			out = append(out, a)
		}
	}
	return out
}

// flagsFirst moves flags in front of a command's own arguments, because the library reads none after
// the first argument and people write "show last --json". Commands whose arguments are a test's command
// line are left alone: there, flags stand before it.
func flagsFirst(app *cli.App, args []string) []string {
	args = apart(args)
	if len(args) < 3 {
		return args
	}
	command := app.Command(args[1])
	if command == nil || takesTest(command) {
		return args
	}
	var flags, rest []string
	for i := 2; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			rest = append(rest, args[i:]...)
			i = len(args)
		case len(a) > 1 && a[0] == '-':
			flags = append(flags, a)
			if takesValue(command, a) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		default:
			rest = append(rest, a)
		}
	}
	return slices.Concat(args[:2], flags, rest)
}

// takesTest tells whether a command's arguments are a test.
func takesTest(c *cli.Command) bool { return strings.HasPrefix(c.ArgsUsage, "-- ") }

// takesValue tells whether the word after this flag is its value.
func takesValue(c *cli.Command, word string) bool {
	name := strings.TrimLeft(word, "-")
	for _, f := range c.Flags {
		if slices.Contains(f.Names(), name) {
			_, isBool := f.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}
