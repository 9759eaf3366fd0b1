package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/zstd"
)

const (
	// windowSize is how far back the compressor looks. The records of one campaign resemble each other
	// within a few hundred, so a small window loses nothing and keeps writer and reader small.
	windowSize = 1 << 20
	// decoderMemory is what a sealed segment may make a reader use, whatever its header claims.
	decoderMemory = 8 << 20
)

// compress copies r to w as one zstd frame with a checksum of its own.
func compress(w io.Writer, r io.Reader) error {
	enc, err := zstd.NewWriter(w,
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(windowSize))
	if err != nil {
		return err
	}
	if _, err := io.Copy(enc, r); err != nil {
		// The copy's error is the one that matters; Close only frees the encoder here.
		_ = enc.Close()
		return err
	}
	return enc.Close()
}

// inflater reads a sealed segment. A frame that cannot be decoded is invalid data; a file that cannot be
// read is not.
type inflater struct{ dec *zstd.Decoder }

func newInflater(r io.Reader) (*inflater, error) {
	dec, err := zstd.NewReader(r,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(decoderMemory),
		zstd.WithDecoderMaxMemory(decoderMemory))
	if err != nil {
		return nil, err
	}
	return &inflater{dec: dec}, nil
}

func (i *inflater) Read(p []byte) (int, error) {
	n, err := i.dec.Read(p)
	var pathErr *fs.PathError
	switch {
	case err == nil || err == io.EOF || errors.As(err, &pathErr):
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%w: zstd: %v", ErrLength, err)
	}
	return n, fmt.Errorf("%w: zstd: %v", ErrChecksum, err)
}

func (i *inflater) Close() { i.dec.Close() }
