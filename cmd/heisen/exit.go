package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"heisen/stress/journal"
)

// Exit codes, as the help documents them.
const (
	exitClean       = 0
	exitError       = 1
	exitUsage       = 2
	exitFailures    = 10
	exitNotAgain    = 11
	exitDamaged     = 12
	exitInterrupted = 130

	exitNotFixed   = 20
	exitPerturbed  = 21
	exitDifferent  = 22
	exitCannotTell = 23
)

const exitCodesHelp = `EXIT CODES:
   0    clean: no attempt failed (heisen repro: the failure came back)
   1    heisen could not do its work, or no attempt could be judged
   2    the command line is wrong
   10   failures were found
   11   the failure did not come back (heisen repro)
   12   the campaign's journal is damaged
   20   soak: NOT FIXED (0 is FIXED)
   21   soak: PERTURBED, rarer, but not by the factor, or not gone
   22   soak: DIFFERENT FAILURE
   23   soak: CANNOT TELL YET
   130  interrupted`

// coded is an outcome that is not an error of heisen's but ends with an exit code of its own. Nothing is
// printed for it: the summary has said it.
type coded int

func (c coded) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// report prints an error as one line and turns it into the exit code. It is the only place that does.
func report(stderr io.Writer, err error) int {
	var code coded
	var usage usageError
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(stderr, "heisen: "+oneLine(err.Error()))
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, journal.ErrCorrupt):
		return exitDamaged
	}
	return exitError
}

func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
