package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// model is a journal beside the list of records that were acknowledged.
type model struct {
	dir     string
	j       *Journal
	space   atomic.Int64
	failing atomic.Bool
	acked   []string
	next    int
}

func (m *model) open(t *rapid.T) {
	opts := smallSegments()
	opts.Failpoints = func(name string) error {
		if name == pointSync && m.failing.Load() {
			return syscall.EIO
		}
		return nil
	}
	j, err := Open(m.dir, fakeDisk{space: &m.space}.on(opts))
	require.NoError(t, err)
	m.j = j
}

func (m *model) append(t *rapid.T) error {
	r := record(m.next)
	m.next++
	err := m.j.Append([]byte(r))
	if err == nil {
		m.acked = append(m.acked, r)
	}
	return err
}

// TestModel does anything in any order: what was acknowledged, and only that, is there at every moment.
func TestModel(t *testing.T) {
	base := fastDir(t)
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(base, "j")
		require.NoError(t, err)
		m := &model{dir: dir}
		m.space.Store(1 << 20)
		m.open(t)
		defer func() { _ = m.j.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for range rapid.IntRange(1, 5).Draw(t, "records") {
					require.NoError(t, m.append(t))
				}
			},
			"full disk": func(t *rapid.T) {
				m.space.Store(rapid.Int64Range(0, 60).Draw(t, "space"))
				require.ErrorIs(t, m.append(t), ErrNoSpace)
				m.space.Store(1 << 20)
			},
			"reopen": func(t *rapid.T) {
				require.NoError(t, m.j.Close())
				m.open(t)
				require.Zero(t, m.j.Recovered())
			},
			"failed disk": func(t *rapid.T) {
				m.failing.Store(true)
				require.ErrorIs(t, m.append(t), ErrFailed)
				require.ErrorIs(t, m.append(t), ErrFailed)
				require.ErrorIs(t, m.j.Close(), ErrFailed)
				m.failing.Store(false)
				m.open(t)
			},
			"torn end": func(t *rapid.T) {
				require.NoError(t, m.j.Close())
				l, err := list(dir)
				require.NoError(t, err)
				f, err := os.OpenFile(rawPath(dir, l.last()), os.O_APPEND|os.O_WRONLY, 0)
				require.NoError(t, err)
				_, err = f.Write(rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "rubbish"))
				require.NoError(t, errors.Join(err, f.Close()))
				m.open(t)
				require.NotEmpty(t, m.j.Recovered().Torn)
			},
			"lose the snapshots": func(t *rapid.T) {
				require.NoError(t, m.j.Close())
				found, err := filepath.Glob(filepath.Join(dir, "*"+snapshotSuffix))
				require.NoError(t, err)
				for _, path := range found {
					require.NoError(t, os.Remove(path))
				}
				m.open(t)
			},
			"": func(t *rapid.T) { m.check(t) },
		})
	})
}

func (m *model) check(t *rapid.T) {
	var got []string
	sum, err := ReadAll(m.dir, func(p []byte) error { got = append(got, string(p)); return nil })
	require.NoError(t, err)
	require.True(t, slices.Equal(m.acked, got), "acknowledged %d, read %d", len(m.acked), len(got))
	require.EqualValues(t, len(m.acked), sum.Batches)
	fold, _, err := Load(m.dir, newCountFold)
	require.NoError(t, err)
	require.EqualValues(t, len(m.acked), fold.(*countFold).n)
}

// Headers come back as they were written, and only as they were written.
func TestHeadersRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "body")
		h := fileHeader{
			campaign: rapid.StringMatching(`[!-~]{1,128}`).Draw(t, "campaign"),
			position: position{
				segment: rapid.IntRange(1, 1<<30).Draw(t, "segment"),
				batch:   rapid.Uint64().Draw(t, "batch"),
				chain:   firstChain(rapid.String().Draw(t, "chain")),
			},
		}
		require.NoError(t, checkCampaign(h.campaign))
		line := h.segmentLine()
		got, err := parseFileHeader(segmentMagic, line, nil)
		require.NoError(t, err)
		require.Equal(t, h, got)
		require.LessOrEqual(t, len(line), maxLine)

		h.bytes = len(body)
		line = h.snapshotLine(body)
		got, err = parseFileHeader(snapshotMagic, line, body)
		require.NoError(t, err)
		require.Equal(t, h, got)
		requireFragile(t, line, func(line []byte) error {
			_, err := parseFileHeader(snapshotMagic, line, body)
			return err
		})

		payload := append(body, '\n')
		b := batchHeader{number: h.batch, records: 1, bytes: len(payload), chain: h.chain}
		line = appendBatchHeader(nil, b, payload)
		gotBatch, err := parseBatchHeader(line)
		require.NoError(t, err)
		require.NoError(t, checkLine(line, payload))
		require.Equal(t, b, gotBatch)
		requireFragile(t, line, func(line []byte) error {
			_, err := parseBatchHeader(line)
			if err == nil {
				err = checkLine(line, payload)
			}
			return err
		})
	})
}

// requireFragile changes one byte and takes one away: neither may pass.
func requireFragile(t *rapid.T, line []byte, parse func([]byte) error) {
	at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
	changed := bytes.Clone(line)
	changed[at] ^= rapid.ByteRange(1, 255).Draw(t, "mask")
	require.Error(t, parse(changed), "%q", changed)
	require.True(t, invalid(parse(changed)))
	require.Error(t, parse(slices.Delete(bytes.Clone(line), at, at+1)))
}

// A reader that saw half of a batch which the writer then cut back and wrote anew looks again, instead of
// calling the journal damaged.
func TestReaderLooksTwice(t *testing.T) {
	s := newSample(t, 3)
	dir := filepath.Join(t.TempDir(), "j")
	stale := bytes.Clone(s.data)
	stale[s.starts[1]+20] ^= 1
	place(t, dir, stale)
	n := 0
	_, err := ReadAll(dir, func([]byte) error {
		// By now the first part of the file is in the reader's buffer; the writer goes on.
		n++
		return os.WriteFile(rawPath(dir, 1), s.data, 0o600)
	})
	require.NoError(t, err)
	require.Equal(t, 6, n)
}

func TestLayout(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"000001.journal.zst", "000002.journal", "000002.journal.zst", "000003.journal", "1000000.journal", "000001.snapshot",
		".tmp-000003.journal-1", "torn-000001-5-00000000", "notes.txt", "000000.journal", "1.journal", "000001.journal.bak",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	l, err := list(dir)
	require.NoError(t, err)
	require.Equal(t, layout{
		raw: []int{2, 3, 1000000}, sealed: []int{1, 2}, snapshots: []int{1},
		temps: []string{filepath.Join(dir, ".tmp-000003.journal-1")},
	}, l)
	require.Equal(t, 1000000, l.last())
	require.Equal(t, rawPath(dir, 4), l.missing(dir))
	require.Equal(t, 8, layout{snapshots: []int{7}}.last(), "a snapshot is proof of the segment after it")
	require.Zero(t, layout{}.last())
}
