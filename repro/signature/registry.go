package signature

// class says how far a shape's word is trusted.
type class int

const (
	// named shapes report failed tests by name.
	named class = iota
	// fatal shapes are the last words of a runtime or a sanitizer that ended the process.
	fatal
	// uncaught shapes are exceptions a runtime says nobody caught.
	uncaught
	// logged shapes are errors that may also have been caught and only logged: they count when nothing
	// better is known and the attempt did end badly.
	logged
)

// shape is one known way in which a tool writes down a failure. find returns what it found, unfolded and
// in any order; it must be linear in the log.
type shape struct {
	kind  string
	class class
	find  func(l *log) []Failure
}

// shapes is all that is known of tools. Their order does not matter: the set of failures is sorted.
func shapes() []shape {
	return []shape{
		{"unittest", named, findUnittest},
		{"regrtest", named, findRegrtest},
		{"pytest", named, findPytest},
		{"go test", named, findGoTest},
		{"go build", named, findGoBuild},
		{"go race", fatal, findGoRace},
		{"go panic", fatal, findGoPanic},
		{"gtest", named, findGtest},
		{"tap", named, findTAP},
		{"junit", named, findJUnit},
		{"rust test", named, findRustTest},
		{"node test", named, findNodeSpec},
		{"sanitizer", fatal, findSanitizer},
		{"abort", fatal, findAbort},
		{"python fatal", fatal, findPythonFatal},
		{"jvm fatal", fatal, findJVMFatal},
		{"rust panic", uncaught, findRustPanic},
		{"python thread", uncaught, findPythonThread},
		{"java", uncaught, findJava},
		{"node", uncaught, findNode},
		{"python", logged, findTraceback},
		{"shell", logged, findShell},
	}
}

// anyway and certain are the classes tried, group by group, until one has found something. An attempt that hung may
// have logged errors it survived, so only what surely is a failure counts there.
var (
	anyway  = [][]class{{named, fatal}, {uncaught, logged}}
	certain = [][]class{{named, fatal}, {uncaught}}
)

func find(l *log, order [][]class) []Failure {
	for _, group := range order {
		var found []Failure
		for _, s := range shapes() {
			if !member(group, s.class) {
				continue
			}
			for _, f := range s.find(l) {
				if f.Kind == "" { // a document may be another tool's
					f.Kind = s.kind
				}
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func member(group []class, c class) bool {
	for _, g := range group {
		if g == c {
			return true
		}
	}
	return false
}

func isFatal(kind string) bool {
	for _, s := range shapes() {
		if s.kind == kind {
			return s.class == fatal
		}
	}
	return false
}
