package tracer

import "strings"

// withoutLeakCheck switches LeakSanitizer off: it stops threads with ptrace itself, which a traced program cannot, and
// fails the program at its end. Options of the user's come first, so this one wins
// (sanitizer_flag_parser.cpp: the last setting of a flag counts). The error reports of AddressSanitizer and
// ThreadSanitizer stay.
// The user is told (leaksUnchecked) where that can make a difference.
func withoutLeakCheck(env []string) (changed []string, meant bool) {
	changed = append(changed, env...)
	for _, name := range []string{"ASAN_OPTIONS", "LSAN_OPTIONS"} {
		for _, entry := range env {
			meant = meant || strings.HasPrefix(entry, name+"=")
		}
		changed = appendOption(changed, name, "detect_leaks=0")
	}
	return changed, meant
}

const leaksUnchecked = "LeakSanitizer, which refuses to run under a tracer, was switched off (detect_leaks=0 in ASAN_OPTIONS and LSAN_OPTIONS)"

// sanitized tells from a process's /proc/PID/maps whether it has LeakSanitizer in it: by the library's name or, where
// it is linked into the program, by the shadow memory of AddressSanitizer, which lies at a place of its own
// (asan_mapping.h: 0x7fff8000 on amd64, 1<<36 on arm64, and the page below it). LeakSanitizer alone, linked into the
// program, is not seen.
func sanitized(maps string) bool {
	for line := range strings.Lines(maps) {
		file := line[strings.LastIndexByte(line, '/')+1:]
		for _, library := range []string{"libasan.", "liblsan.", "libhwasan.", "libclang_rt.asan", "libclang_rt.lsan"} {
			if strings.HasPrefix(file, library) {
				return true
			}
		}
		for _, shadow := range []string{"7fff7000-", "7fff8000-", "1000000000-"} {
			if strings.HasPrefix(line, shadow) {
				return true
			}
		}
	}
	return false
}

func appendOption(env []string, name, option string) []string {
	for i, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			if value != "" {
				value += ":"
			}
			env[i] = name + "=" + value + option
			return env
		}
	}
	return append(env, name+"="+option)
}
