package contrast

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"heisen/stress/run"
)

// Columns of a record that are fields of run.Finished; the signals of run.SignalTable follow them.
const (
	colWall   = "wall_us"
	colUser   = "user_us"
	colSystem = "system_us"
	colRSS    = "max_rss_kib"
)

// columns names the values of a record in their order.
func columns() []string {
	names := []string{colWall, colUser, colSystem, colRSS}
	for _, s := range run.SignalTable() {
		names = append(names, s.Name)
	}
	return names
}

// absent stands for a value that was not collected. What is measured saturates below it: more than 71
// minutes in microseconds count as 71 minutes, which changes no rank that matters.
const absent = math.MaxUint32

// record is what is kept of one attempt: 32 bits a value, so that thousands fit into the campaign's fold.
type record struct {
	seq       int64
	signature string // of a failure
	values    []uint32
}

// newRecord takes what is compared out of an attempt's record. Negative values are readings that went
// wrong, and count as not collected. So does a lower bound: which attempts have one depends on how they ran, and
// ranked as a value it would make them look as if they had waited less.
func newRecord(names []string, fin run.Finished) record {
	r := record{seq: fin.Seq, values: make([]uint32, len(names))}
	for i, name := range names {
		r.values[i] = absent
		if v, ok := valueOf(name, fin); ok && v >= 0 && !slices.Contains(fin.AtLeast, name) {
			r.values[i] = uint32(min(v, absent-1))
		}
	}
	if fin.Outcome.Failed() && fin.Filed != nil {
		r.signature = fin.Filed.Signature
	}
	return r
}

func valueOf(name string, fin run.Finished) (int64, bool) {
	switch name {
	case colWall:
		return fin.Wall, true
	case colUser:
		return fin.User, true
	case colSystem:
		return fin.System, true
	case colRSS:
		return fin.MaxRSS, true
	}
	v, ok := fin.Signals[name]
	return v, ok
}

// pack encodes a record without its signature: the number, then each value plus one, 0 for an absent one.
func (r record) pack() []byte {
	data := binary.AppendVarint(make([]byte, 0, 2*len(r.values)), r.seq)
	for _, v := range r.values {
		next := uint64(v) + 1
		if v == absent {
			next = 0
		}
		data = binary.AppendUvarint(data, next)
	}
	return data
}

var errPacked = errors.New("read packed measurements: cut short or too long")

// unpack decodes pack's bytes; from maps each stored column to its present place, or to -1 where this
// version no longer knows it.
func unpack(data []byte, from []int, width int) (record, error) {
	r := record{values: make([]uint32, width)}
	for i := range r.values {
		r.values[i] = absent
	}
	seq, n := binary.Varint(data)
	if n <= 0 {
		return r, errPacked
	}
	r.seq, data = seq, data[n:]
	for _, to := range from {
		v, n := binary.Uvarint(data)
		if n <= 0 || v > absent {
			return r, errPacked
		}
		data = data[n:]
		if v > 0 && to >= 0 {
			r.values[to] = uint32(v - 1)
		}
	}
	if len(data) > 0 {
		return r, errPacked
	}
	return r, nil
}
