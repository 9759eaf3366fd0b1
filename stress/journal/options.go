package journal

import (
	"errors"
	"io"
	"os"
	"time"

	"heisen/stress/durable"
)

// Options are how a journal is written. Campaign and NewFold are needed; zero values elsewhere mean the
// defaults.
type Options struct {
	// Campaign is the id of the campaign, 1 to 128 printable ASCII characters without spaces. It is in every
	// header and begins the chain: a segment of another campaign is never taken for one of this.
	Campaign string
	// NewFold makes the state that snapshots hold. The journal uses it in the background, when a segment is
	// sealed; it must share nothing with the folds of other users.
	NewFold NewFold
	// CommitDelay is how long the first waiting record waits for company before the disk is asked
	// (default 10 ms; negative means not at all).
	CommitDelay time.Duration
	// CommitRecords is how many waiting records are not made to wait longer (default 16).
	CommitRecords int
	// SegmentBytes is the length at which a segment is sealed (default 16 MiB).
	SegmentBytes int64
	// Failpoints are asked at the points that Points lists.
	Failpoints durable.Failpoints

	// open replaces the segment's file in tests.
	open func(path string) (segmentFile, error)
}

const (
	defaultDelay   = 10 * time.Millisecond
	defaultRecords = 16
	defaultSegment = 16 << 20
	// backlog is how many waiting bytes make Submit wait: it bounds memory and the length of a batch while
	// the disk is slow.
	backlog = 4 << 20
)

func (o Options) withDefaults() (Options, error) {
	if err := checkCampaign(o.Campaign); err != nil {
		return o, err
	}
	if o.NewFold == nil {
		return o, errors.New("journal options need NewFold")
	}
	if o.CommitDelay == 0 {
		o.CommitDelay = defaultDelay
	}
	if o.CommitRecords <= 0 {
		o.CommitRecords = defaultRecords
	}
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegment
	}
	if o.open == nil {
		o.open = openDisk
	}
	return o, nil
}

// segmentFile is what the committer needs of a file.
type segmentFile interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Datasync is fdatasync(2).
	Datasync() error
}

// diskFile is a segment on a real disk.
type diskFile struct{ *os.File }

func (f diskFile) Datasync() error { return durable.Datasync(f.File) }

func openDisk(path string) (segmentFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

// Points lists the failpoints of a journal in the order in which they are met: opening a new journal,
// committing, beginning the next segment, sealing the last one, recovering a torn end. Those of one
// replaced file end in the names that durable.Replace gives.
func Points() []string {
	replace := func(prefix string) []string {
		var names []string
		for _, step := range []string{"write", "sync", "rename", "syncdir", "done"} {
			names = append(names, prefix+"."+step)
		}
		return names
	}
	points := []string{pointWrite, pointSync, pointSynced, pointTruncate}
	points = append(points, replace(pointRotate)...)
	points = append(points, replace(pointCompress)...)
	points = append(points, replace(pointSnapshot)...)
	points = append(points, pointRemove, pointForget)
	points = append(points, replace(pointTorn)...)
	return append(points, pointCut)
}

const (
	pointWrite    = "journal.write"
	pointSync     = "journal.sync"
	pointSynced   = "journal.synced"
	pointTruncate = "journal.truncate"
	pointRotate   = "journal.rotate"
	pointCompress = "journal.seal.compress"
	pointSnapshot = "journal.seal.snapshot"
	pointRemove   = "journal.seal.remove"
	pointForget   = "journal.seal.forget"
	pointTorn     = "journal.recover.torn"
	pointCut      = "journal.recover.cut"
)
