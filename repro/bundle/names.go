package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode/utf8"

	"heisen/repro/provenance"
)

// plainID is what a signature's id looks like; such an id is its own folder name.
var plainID = regexp.MustCompile(`^[0-9a-z][0-9a-z-]{3,63}$`)

// folderFor names the folder of a signature. An id of any other shape was made from what a test printed
// and is hashed.
func folderFor(id string) string {
	if plainID.MatchString(id) && id != PassKey {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "x-" + hex.EncodeToString(sum[:8])
}

// maxTail is the size in bytes of the end of the output that a record without a bundle keeps.
const maxTail = 1024

// tail returns the end of an output: at most maxTail bytes of valid UTF-8, without what looks like a
// secret. Four times as much is looked at, so that a secret is seen whole before it is cut.
func tail(log []byte) string {
	log = log[max(0, len(log)-4*maxTail):]
	text := provenance.Scrub(strings.ToValidUTF8(string(log), "\uFFFD"))
	from := max(0, len(text)-maxTail)
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:]
}
