package run

import "time"

// Stream tells where a piece of output came from.
type Stream uint8

const (
	Stdout Stream = 1
	Stderr Stream = 2
)

// String is the stream's usual name.
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Chunk is one read from one stream: bytes exactly as they came, and when (since the attempt's start).
type Chunk struct {
	Stream Stream
	At     time.Duration
	Data   []byte
}

// Output is what was kept of an attempt's output, in the order of arrival: all of it, or its head and its
// tail with Omitted bytes left out between them.
type Output struct {
	Head []Chunk
	Tail []Chunk
	// Total counts every byte that came, kept or not.
	Total int64
	// Omitted counts the bytes between Head and Tail that were not kept.
	Omitted int64
}

// Bytes joins what was kept, both streams in the order of arrival, without a mark where bytes are missing.
func (o *Output) Bytes() []byte {
	size := 0
	for _, part := range [][]Chunk{o.Head, o.Tail} {
		for _, c := range part {
			size += len(c.Data)
		}
	}
	all := make([]byte, 0, size)
	for _, part := range [][]Chunk{o.Head, o.Tail} {
		for _, c := range part {
			all = append(all, c.Data...)
		}
	}
	return all
}

// Kept translates an offset in all that came (Evidence.DumpAt) into one in Bytes: an offset in what was
// omitted becomes the place of the gap, and -1 stays -1.
func (o *Output) Kept(at int64) int {
	head := int64(0)
	for _, c := range o.Head {
		head += int64(len(c.Data))
	}
	if at <= head {
		return int(at)
	}
	return int(max(head, at-o.Omitted))
}
