package strain

import "errors"

// HogCommand is the hidden argument under which the program must call RunHog with the arguments after it.
const HogCommand = "__hog"

// ErrUnsupported is returned where hogs cannot be tied to heisen's life.
var ErrUnsupported = errors.New("load on purpose needs Linux: run heisen there or without --load")

// Config is what Start needs to know; the zero value is good for a program that obeys HogCommand.
type Config struct {
	// Dir is the folder whose disk the io hogs load, by default that for temporary files. Their files have no
	// names, so nothing of them is left.
	Dir string
	// Self is the command line that ends in a call of RunHog, by default this very program with HogCommand.
	Self []string
	// Available tells how many bytes of memory can be had, by default of the machine and of the cgroups this
	// process is in.
	Available func() (int64, error)
}

// Stats is how the hogs are at a moment.
type Stats struct {
	// Hogs is how many there should be, Running how many are at work now.
	Hogs, Running int
	// Deaths is how many died before Close. Each is started again after a second; Restarts counts those that
	// were at work again.
	Deaths, Restarts int
	// LastDeath says what the last of them died of; "" while there is none.
	LastDeath string
}
