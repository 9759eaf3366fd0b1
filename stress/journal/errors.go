package journal

import (
	"errors"
	"fmt"

	"heisen/stress/durable"
)

var (
	// ErrFailed is wrapped by every append to a journal whose disk failed. The journal is done for: what
	// was acknowledged is on disk and readable, nothing else is promised.
	ErrFailed = errors.New("the journal has failed")
	// ErrNoSpace is wrapped by an append that found the disk full. Nothing of it is in the journal, which
	// works again once there is space.
	ErrNoSpace = errors.New("no space left for the journal")
	// ErrClosed is returned by an append after Close.
	ErrClosed = errors.New("the journal is closed")
	// ErrPayload is wrapped when a record cannot be one line of a segment.
	ErrPayload = errors.New("not a journal record")
	// ErrCorrupt is wrapped by a CorruptError.
	ErrCorrupt = errors.New("the journal is damaged")
	// ErrNewer is wrapped when a newer heisen wrote the journal; such a journal is never written to.
	ErrNewer = errors.New("the journal was written by a newer heisen")
	// ErrNoJournal is wrapped when a folder holds no journal to read.
	ErrNoJournal = errors.New("no journal here")
)

// What can be wrong with a header or a batch, in the order in which it is checked. A CorruptError wraps
// one of them.
var (
	// ErrMagic is a line that does not begin as it must.
	ErrMagic = errors.New("wrong magic")
	// ErrSyntax is a header line that is not written as this version writes it.
	ErrSyntax = errors.New("malformed header line")
	// ErrLength is a header line or a batch that ends before its own length.
	ErrLength = errors.New("cut short")
	// ErrChecksum is content that does not match its checksum.
	ErrChecksum = errors.New("checksum differs")
	// ErrChain is sound content in a place where it does not belong: of another campaign, or after
	// something was taken out, put in or changed together with its checksum.
	ErrChain = errors.New("does not follow what is before it")
)

// CorruptError says where a journal is damaged. It wraps ErrCorrupt and the check that failed.
type CorruptError struct {
	File string
	// Offset is where the damaged batch or header begins, in bytes; in a sealed segment it counts
	// decompressed bytes.
	Offset int64
	Check  error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%v: %s at byte %d: %v: restore the file from a copy, or start a new campaign",
		ErrCorrupt, e.File, e.Offset, e.Check)
}

// Unwrap gives both the class and the check.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Check} }

// isChain tells a batch or header that is sound in itself but out of place. No write that was cut short
// looks like that, so it is damage wherever it is.
func isChain(err error) bool { return errors.Is(err, ErrChain) }

// visitError carries an error of the caller's function past the checks of the data: it may wrap anything.
type visitError struct{ err error }

func (e *visitError) Error() string { return e.err.Error() }

// explain adds what the user can do to an error of the file system.
func explain(err error) error {
	switch {
	case durable.IsNoSpace(err):
		return fmt.Errorf("%w: %w: free some space or inodes and try again", ErrNoSpace, err)
	case durable.IsReadOnly(err):
		return fmt.Errorf("%w: mount the file system for writing or choose another folder", err)
	}
	return err
}
