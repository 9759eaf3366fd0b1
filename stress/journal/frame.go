package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// Version is the version of the format that this package writes and reads. Two things are the same in all
// versions, so that an old heisen can name a newer journal: the first line begins with the magic word and
// the version, and it ends with " crc=" and the checksum of all before that.
const Version = 1

const (
	segmentMagic  = "#heisen-journal "
	snapshotMagic = "#heisen-snapshot "
	batchMagic    = "#batch "
	crcMark       = " crc="

	// maxLine bounds a header line and maxBatch a batch, so that damage cannot make a reader allocate
	// without end.
	maxLine  = 512
	maxBatch = 32 << 20
	// MaxRecord is the length of the longest record, in bytes.
	MaxRecord = 16 << 20
)

// castagnoli has instructions of its own on amd64 and arm64.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chain is the running hash over all payloads of a campaign: 96 bits of SHA-256, which is enough against
// everything but a forger, and against a forger a chain without a key is nothing anyway. It does not
// compress, so its length counts where every attempt is a batch of its own.
type chain [12]byte

func (c chain) String() string { return hex.EncodeToString(c[:]) }

// firstChain is what the first batch of a campaign follows.
func firstChain(campaign string) chain {
	sum := sha256.Sum256([]byte("heisen-journal " + campaign))
	return chain(sum[:len(chain{})])
}

// next is the chain after a batch with this payload.
func (c chain) next(payload []byte) chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(payload)
	var sum [sha256.Size]byte
	return chain(h.Sum(sum[:0])[:len(chain{})])
}

// position is the end of a verified part of a journal: what must come next.
type position struct {
	// segment is the number of the segment, from 1.
	segment int
	// batch is the number of the next batch; it goes on from segment to segment.
	batch uint64
	chain chain
}

// fileHeader is the first line of a segment or of a snapshot. In a segment batch and chain are those that
// its first batch follows; in a snapshot those that the next segment's first batch follows.
type fileHeader struct {
	campaign string
	position
	// bytes is the length of what follows; only snapshots have it.
	bytes int
}

func (h fileHeader) segmentLine() []byte {
	return sealLine(fmt.Appendf(nil, "%s%d campaign=%s segment=%d batch=%d chain=%s",
		segmentMagic, Version, h.campaign, h.segment, h.batch, h.chain), nil)
}

func (h fileHeader) snapshotLine(body []byte) []byte {
	return sealLine(fmt.Appendf(nil, "%s%d campaign=%s segment=%d batch=%d chain=%s bytes=%d",
		snapshotMagic, Version, h.campaign, h.segment, h.batch, h.chain, h.bytes), body)
}

// sealLine ends a header line with the checksum of the line and of the body it heads.
func sealLine(line, body []byte) []byte {
	sum := crc32.Update(crc32.Checksum(line, castagnoli), castagnoli, body)
	return fmt.Appendf(line, "%s%08x\n", crcMark, sum)
}

// parseFileHeader reads a first line, newline included, and checks in this order: magic, length (a line
// without an end), version, checksum, syntax. A newer version is believed only if the line's checksum is
// right: else a flipped bit would pass for a newer heisen. The body's share of a snapshot's checksum is
// not known yet, so body is handed in by those who have it.
func parseFileHeader(magic string, line, body []byte) (fileHeader, error) {
	var h fileHeader
	rest, ok := bytes.CutPrefix(line, []byte(magic))
	if !ok {
		if len(line) < len(magic) && magic[:len(line)] == string(line) {
			return h, ErrLength
		}
		return h, ErrMagic
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		return h, ErrLength
	}
	number, _, _ := bytes.Cut(rest, []byte(" "))
	version, err := strconv.Atoi(string(number))
	if err != nil || version < 1 {
		return h, ErrSyntax
	}
	if err := checkLine(line, body); err != nil {
		return h, err
	}
	if version > Version {
		return h, fmt.Errorf("%w (format %d, this one reads %d): use that version", ErrNewer, version, Version)
	}
	return h, h.parse(magic, rest)
}

func (h *fileHeader) parse(magic string, rest []byte) error {
	f := fields{rest: rest}
	f.number("", 64)
	h.campaign = f.text(" campaign=")
	h.segment = int(f.number(" segment=", 31))
	h.batch = f.number(" batch=", 64)
	h.chain = f.chain(" chain=")
	if magic == snapshotMagic {
		h.bytes = int(f.number(" bytes=", 31))
	}
	return f.end()
}

// batchHeader is the line before a batch's records.
type batchHeader struct {
	number  uint64
	records int
	bytes   int
	chain   chain
}

// appendBatchHeader writes the header of a batch with this payload.
func appendBatchHeader(dst []byte, h batchHeader, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, batchMagic...)
	dst = strconv.AppendUint(dst, h.number, 10)
	dst = append(dst, " records="...)
	dst = strconv.AppendInt(dst, int64(h.records), 10)
	dst = append(dst, " bytes="...)
	dst = strconv.AppendInt(dst, int64(h.bytes), 10)
	dst = append(dst, " chain="...)
	dst = hex.AppendEncode(dst, h.chain[:])
	sum := crc32.Update(crc32.Checksum(dst[start:], castagnoli), castagnoli, payload)
	return fmt.Appendf(dst, "%s%08x\n", crcMark, sum)
}

// parseBatchHeader reads a batch's line, newline included: magic, length, syntax. The checksum needs the
// payload and is checked with it.
func parseBatchHeader(line []byte) (batchHeader, error) {
	var h batchHeader
	rest, ok := bytes.CutPrefix(line, []byte(batchMagic))
	if !ok {
		if len(line) < len(batchMagic) && batchMagic[:len(line)] == string(line) {
			return h, ErrLength
		}
		return h, ErrMagic
	}
	if !bytes.HasSuffix(line, []byte("\n")) {
		return h, ErrLength
	}
	f := fields{rest: rest}
	h.number = f.number("", 64)
	h.records = int(f.number(" records=", 31))
	h.bytes = int(f.number(" bytes=", 31))
	h.chain = f.chain(" chain=")
	if err := f.end(); err != nil {
		return h, err
	}
	if h.records < 1 || h.bytes < h.records || h.bytes > maxBatch {
		return h, ErrSyntax
	}
	return h, nil
}

// checkLine compares a header line's checksum, which covers the line before it and the body after it.
func checkLine(line, body []byte) error {
	at := bytes.LastIndex(line, []byte(crcMark))
	if at < 0 {
		return ErrSyntax
	}
	sum := crc32.Update(crc32.Checksum(line[:at], castagnoli), castagnoli, body)
	var want [8]byte
	if string(line[at+len(crcMark):len(line)-1]) != string(appendHex32(want[:0], sum)) {
		return ErrChecksum
	}
	return nil
}

func appendHex32(dst []byte, v uint32) []byte {
	return hex.AppendEncode(dst, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// fields takes a header line apart from its left; the first surprise sticks.
type fields struct {
	rest []byte
	err  error
}

func (f *fields) text(label string) string {
	rest, ok := bytes.CutPrefix(f.rest, []byte(label))
	if !ok {
		f.err = ErrSyntax
		return ""
	}
	end := bytes.IndexByte(rest, ' ')
	if end < 0 {
		f.err = ErrSyntax
		return ""
	}
	f.rest = rest[end:]
	return string(rest[:end])
}

// number reads a decimal number exactly as strconv writes it.
func (f *fields) number(label string, bits int) uint64 {
	text := f.text(label)
	v, err := strconv.ParseUint(text, 10, bits)
	if err != nil || strconv.FormatUint(v, 10) != text {
		f.err = ErrSyntax
	}
	return v
}

func (f *fields) chain(label string) (c chain) {
	text := f.text(label)
	if len(text) != hex.EncodedLen(len(c)) {
		f.err = ErrSyntax
		return c
	}
	if _, err := hex.Decode(c[:], []byte(text)); err != nil {
		f.err = ErrSyntax
	}
	return c
}

// end expects nothing but the checksum.
func (f *fields) end() error {
	rest, ok := bytes.CutPrefix(f.rest, []byte(crcMark))
	if f.err == nil && (!ok || len(rest) != 9) {
		f.err = ErrSyntax
	}
	return f.err
}

// checkPayload tells whether a payload can be one line of a segment and be told from a header.
func checkPayload(payload []byte) error {
	switch {
	case len(payload) == 0:
		return fmt.Errorf("%w: it is empty", ErrPayload)
	case len(payload) > MaxRecord:
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrPayload, len(payload), MaxRecord)
	case payload[0] == '#':
		return fmt.Errorf("%w: it begins with #, as headers do", ErrPayload)
	case bytes.IndexByte(payload, '\n') >= 0:
		return fmt.Errorf("%w: it has a newline", ErrPayload)
	}
	return nil
}

// checkCampaign tells whether an id can stand in a header line.
func checkCampaign(id string) error {
	if id == "" || len(id) > 128 {
		return errors.New("campaign id must have 1 to 128 bytes")
	}
	for _, r := range []byte(id) {
		if r <= ' ' || r > '~' {
			return fmt.Errorf("campaign id %q: only printable ASCII without spaces", id)
		}
	}
	return nil
}
