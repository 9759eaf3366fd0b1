package signature

import (
	"strings"
)

var (
	javaHead   = lazily(`^Exception in thread "([^"]*)" ((?:[\w$]+\.)*[\w$]+)(?:: (.*))?$`)
	javaCause  = lazily(`^\s*Caused by: ((?:[\w$]+\.)*[\w$]+)(?:: (.*))?$`)
	javaFrame  = lazily(`^\s+at (?:[\w.]+(?:@[\w.-]+)?/)*([\w$.<>/]+)\(([^)]*)\)$`)
	javaSerial = lazily(`\$\$?(?:Lambda[$/\w]*|\d+)`)
)

// findJava reads exceptions that ended a thread. The root cause and the first frame of the project's own
// tell more than the wrapping around them, and are taken where there is a chain.
func findJava(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if !strings.HasPrefix(line, `Exception in thread "`) || len(found) > maxFailures {
			continue
		}
		m := javaHead.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		f := Failure{Message: javaSays(m[2], m[3])}
		stack := i + 1
		for j := i + 1; j < min(len(l.lines), i+2000); j++ {
			if c := javaCause.FindStringSubmatch(l.lines[j]); c != nil {
				f.Message, stack = javaSays(m[2], "")+" caused by "+javaSays(c[1], c[2]), j+1
			} else if !strings.HasPrefix(l.lines[j], "\t") {
				break
			}
		}
		f.Where = javaFrames(l, stack, 1)
		found = append(found, f)
	}
	return found
}

func javaSays(class, message string) string {
	class = class[strings.LastIndexByte(class, '.')+1:]
	if message == "" {
		return class
	}
	return class + ": " + message
}

// javaFrames names the innermost n methods that are not the JDK's; if all are, the innermost one.
func javaFrames(l *log, i, n int) string {
	var own []string
	first := ""
	for ; i < len(l.lines) && strings.HasPrefix(l.lines[i], "\t") && len(own) < n; i++ {
		m := javaFrame.FindStringSubmatch(l.lines[i])
		if m == nil {
			continue
		}
		method := javaSerial.ReplaceAllString(m[1], "")
		if first == "" {
			first = method
		}
		if !jdk(method) {
			own = append(own, method)
		}
	}
	if len(own) == 0 {
		return first
	}
	return strings.Join(own, " < ")
}

func jdk(method string) bool {
	for _, prefix := range []string{"java.", "javax.", "jdk.", "sun.", "com.sun."} {
		if strings.HasPrefix(method, prefix) {
			return true
		}
	}
	return false
}

var jvmFrame = lazily(`^#\s+[CVJvj]\s+(?:\[([^\]+]+)(?:\+0x[0-9a-f]+)?\]\s*)?(.*?)(?:\+0x[0-9a-f]+)?$`)

// findJVMFatal reads the box that a dying JVM prints (and writes to hs_err_pid.log).
func findJVMFatal(l *log) []Failure {
	var found []Failure
	for i, line := range l.lines {
		if line != "# A fatal error has been detected by the Java Runtime Environment:" || len(found) > maxFailures {
			continue
		}
		f := Failure{Message: "fatal error in the JVM"}
		for j := i + 1; j < i+40; j++ {
			text := strings.TrimSpace(strings.TrimPrefix(l.at(j), "#"))
			if name, _, ok := strings.Cut(text, " (0x"); ok {
				f.Message = name
			}
			if strings.HasPrefix(text, "Problematic frame:") {
				if m := jvmFrame.FindStringSubmatch(l.at(j + 1)); m != nil {
					f.Where = squeeze(m[1] + " " + m[2])
				}
			}
		}
		found = append(found, f)
	}
	return found
}
