package signature

import "strings"

// resources maps what programs and errno texts say (strerror(3)) to the resource that ran out.
var resources = []struct {
	name string
	says []string
}{
	{"out of file descriptors", []string{"Too many open files", "too many open files", "EMFILE", "ENFILE"}},
	{"no space left on device", []string{"No space left on device", "no space left on device", "ENOSPC"}},
	{"address already in use", []string{"Address already in use", "address already in use", "EADDRINUSE", "AddrInUse"}},
	{"out of memory", []string{"Cannot allocate memory", "cannot allocate memory", "ENOMEM", "std::bad_alloc",
		"java.lang.OutOfMemoryError", "JavaScript heap out of memory", "MemoryError", "fatal error: runtime: out of memory"}},
	{"out of processes", []string{"can't start new thread", "Resource temporarily unavailable", "unable to create native thread",
		"fork: retry", "newosproc", "pthread_create failed"}},
}

// environment names the first resource of the table that the log says is exhausted.
func environment(l *log) string {
	for _, r := range resources {
		for _, says := range r.says {
			if strings.Contains(l.text, says) {
				return r.name
			}
		}
	}
	return ""
}
