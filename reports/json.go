package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes a value as indented JSON that is also safe on a terminal: control characters beyond
// ASCII, and marks that turn the direction of text, are written as \u escapes. JSON's reader gets the same
// strings back; bytes that were no UTF-8 become U+FFFD, as JSON has no way to hold them.
func WriteJSON(w io.Writer, value any) error {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if _, err := w.Write(escapeUnprintable(plain.Bytes())); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// escapeUnprintable works on finished JSON: outside ASCII there is nothing but the inside of strings.
func escapeUnprintable(data []byte) []byte {
	safe := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			safe = append(safe, data[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			safe = fmt.Appendf(safe, `\u%04x\u%04x`, high, low)
		default:
			safe = fmt.Appendf(safe, `\u%04x`, r)
		}
		data = data[size:]
	}
	return safe
}
