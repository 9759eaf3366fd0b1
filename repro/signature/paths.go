package signature

import (
	"strings"
)

// absolute matches a file's absolute path under a root where projects, homes and temp folders live. Paths under
// /dev, /etc and /proc are the same on every machine and stay; so do URLs, whose path has a host before it.
var absolute = lazily(
	`(^|[^\w./:-]|: |=)(/(?:tmp|dev/shm|var|private|home|root|Users|usr|opt|mnt|srv|build|builds|workspace|work|github|app|src|go|run|media|nix|data)(?:/[^\s'"()\[\]{},;:<>]+)+|[A-Za-z]:\\(?:[^\s'"()<>:;,]+\\)+[^\s'"()<>:;,]*)`)

// foldPaths leaves the base name of every such path. Under a temp folder the base name may be made up
// as well; then the whole path is <tmp>.
func foldPaths(s string) string {
	return absolute.ReplaceAllStringFunc(s, func(match string) string {
		at := strings.IndexAny(match, `/\`)
		if at > 0 && match[at] == '\\' {
			at -= 2 // the drive
		}
		path := strings.TrimRight(match[at:], `/\.`)
		name := base(path)
		if temporary(path) {
			name = tempName(path, name)
		}
		return match[:at] + name
	})
}

var tempRoot = lazily(`^/(?:tmp|var/tmp|dev/shm|var/folders|private/tmp|private/var/folders)/|(?i:\\temp\\)`)

func temporary(path string) bool { return tempRoot.MatchString(path) }

// tempName keeps a name that a person chose: one with an extension, inside a temp folder and not
// directly at its root.
func tempName(path, name string) string {
	rest := tempRoot.ReplaceAllString(path, "")
	if !strings.ContainsAny(rest, `/\`) || !strings.Contains(name, ".") {
		return "<tmp>"
	}
	return "<tmp>/" + name
}
