// Package knobs varies environment variables that move a runtime, a library or a program's surroundings, and
// that no source needs to be changed for: how many processors, how often the collector runs, how memory is
// handed out, which time zone. It is for failures that come on one machine and not on another.
package knobs
