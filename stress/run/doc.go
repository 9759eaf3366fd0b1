// Package run holds the nouns of heisen: what a campaign was asked to do (Spec), one execution of the
// test command (Attempt), what became of it (Ending, Outcome, Result), and what the engine tells the
// rest of the program about it (Event).
//
// Every other package speaks in these types, so this one imports nothing of ours and only the pure
// parts of the standard library: it starts no process, opens no file and reads no clock.
package run
