package campaign

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"heisen/stress/durable"
)

var (
	// ErrNotFound is wrapped when a reference names nothing.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous is wrapped when a reference names several campaigns.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrBadReference is wrapped when a reference can name nothing at all.
	ErrBadReference = errors.New("not a reference")
	// ErrNotCampaign is wrapped when a folder is not one of a campaign, or not one that can be read.
	ErrNotCampaign = errors.New("not a campaign folder")
)

// Last is the reference that names the newest.
const Last = "last"

var (
	idPattern     = regexp.MustCompile(`^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$`)
	prefixPattern = regexp.MustCompile(`^[0-9a-f-]{1,22}$`)
)

// Store is the folder in which campaigns live.
type Store struct{ dir string }

// NewStore names a store; nothing is read or made yet.
func NewStore(dir string) Store { return Store{dir: dir} }

// Dir is the store's folder.
func (s Store) Dir() string { return s.dir }

// Create makes a campaign. Its id begins with the time in UTC and ends with three bytes from random; the
// version is heisen's own, for people who read campaign.json. The folder appears as a whole or not at all.
func (s Store) Create(now time.Time, random io.Reader, version string) (*Folder, error) {
	folder, err := s.create(now.UTC(), random, version)
	if err != nil {
		return nil, fmt.Errorf("create campaign in %s: %w", s.dir, err)
	}
	return folder, nil
}

func (s Store) create(now time.Time, random io.Reader, version string) (*Folder, error) {
	var tail [3]byte
	if _, err := io.ReadFull(random, tail[:]); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	id := now.Format("20060102-150405-") + hex.EncodeToString(tail[:])
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(dir); err != nil {
		return nil, err
	}
	temp := filepath.Join(dir, durable.TempPrefix+id)
	if err := durable.Mkdir(temp); err != nil {
		return nil, err
	}
	meta := Meta{Schema: Schema, ID: id, Created: now, Version: version}
	if err := s.fill(temp, filepath.Join(dir, id), meta); err != nil {
		// The first error is the one to report; what stays is named as unfinished.
		_ = os.RemoveAll(temp)
		return nil, err
	}
	return &Folder{path: filepath.Join(dir, id), meta: meta}, nil
}

func (s Store) fill(temp, final string, meta Meta) error {
	draft := Folder{path: temp, meta: meta}
	if err := durable.Mkdir(draft.Bundles()); err != nil {
		return err
	}
	if err := draft.writeMeta(); err != nil {
		return err
	}
	return durable.PublishDir(temp, final, nil)
}

// Listed is one folder of a store: a campaign, or why it cannot be read.
type Listed struct {
	// Name is the folder's; a campaign's id.
	Name   string
	Folder *Folder
	Err    error
}

// List returns all campaigns of a store, newest first. A folder whose name is a campaign's and that cannot
// be read is listed with its error; other files and folders are not listed. A store that does not exist is
// empty.
func (s Store) List() ([]Listed, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	var all []Listed
	for _, entry := range entries {
		if !idPattern.MatchString(entry.Name()) {
			continue
		}
		folder, err := openFolder(filepath.Join(s.dir, entry.Name()))
		all = append(all, Listed{Name: entry.Name(), Folder: folder, Err: err})
	}
	slices.SortFunc(all, newest)
	return all, nil
}

// newest orders by the second in the name, then by the exact time on record, where both can be read: two
// campaigns may begin within one second.
func newest(a, b Listed) int {
	second := func(l Listed) string { return l.Name[:len("20060102-150405")] }
	if c := cmp.Compare(second(b), second(a)); c != 0 {
		return c
	}
	if a.Err == nil && b.Err == nil {
		if c := b.Folder.meta.Created.Compare(a.Folder.meta.Created); c != 0 {
			return c
		}
	}
	return cmp.Compare(b.Name, a.Name)
}

// Open finds a campaign. A reference is an id, the beginning of exactly one, "last" for the newest that
// can be read, or a path to a campaign's folder (anything with a slash).
//
// Errors wrap ErrBadReference, ErrNotFound, ErrAmbiguous or ErrNotCampaign, or are of the file system.
func (s Store) Open(ref string) (*Folder, error) {
	folder, err := s.find(ref)
	if err != nil {
		return nil, fmt.Errorf("open campaign %q: %w", ref, err)
	}
	return folder, nil
}

func (s Store) find(ref string) (*Folder, error) {
	switch {
	case ref == "" || strings.ContainsRune(ref, 0):
		return nil, fmt.Errorf("%w: give an id, the beginning of one, %q or a folder", ErrBadReference, Last)
	case ref == Last:
		return s.last()
	case strings.ContainsRune(ref, filepath.Separator):
		return openFolder(ref)
	case prefixPattern.MatchString(ref):
		return s.byPrefix(ref)
	}
	return nil, fmt.Errorf("%w: ids have the form 20261121-224512-3fa9c1; see heisen list", ErrBadReference)
}

func (s Store) last() (*Folder, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Err == nil {
			return one.Folder, nil
		}
	}
	return nil, fmt.Errorf("%w: no campaign in %s: start one with heisen hunt", ErrNotFound, s.dir)
}

func (s Store) byPrefix(prefix string) (*Folder, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	var found []Listed
	for _, one := range all {
		if one.Name == prefix {
			return one.Folder, one.Err
		}
		if strings.HasPrefix(one.Name, prefix) {
			found = append(found, one)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("%w in %s: see heisen list", ErrNotFound, s.dir)
	case 1:
		return found[0].Folder, found[0].Err
	}
	return nil, fmt.Errorf("%w: %d campaigns begin so, from %s to %s: give more of the id",
		ErrAmbiguous, len(found), found[len(found)-1].Name, found[0].Name)
}
