package campaign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"heisen/stress/durable"
)

// Schema is the version of campaign.json that this package writes and reads.
const Schema = 1

// maxMeta bounds what is read of a campaign.json from anywhere, in bytes.
const maxMeta = 1 << 20

// Meta is campaign.json.
type Meta struct {
	Schema  int       `json:"schema"`
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	// Version is the heisen that made the campaign.
	Version string `json:"heisen"`
	// TempRoot is where the attempts of the present session have their temporary folders; empty when the
	// session has ended and removed it.
	TempRoot string `json:"temp_root,omitempty"`
}

// Folder is one campaign's folder.
type Folder struct {
	path string
	meta Meta
}

// Path is the folder itself, absolute. ID is the campaign's id and the folder's name.
func (f *Folder) Path() string { return f.path }

// ID is the campaign's id.
func (f *Folder) ID() string { return f.meta.ID }

// Meta is what campaign.json says.
func (f *Folder) Meta() Meta { return f.meta }

// Journal is the folder of the journal.
func (f *Folder) Journal() string { return filepath.Join(f.path, "journal") }

// Bundles is the folder of the bundles.
func (f *Folder) Bundles() string { return filepath.Join(f.path, "bundles") }

// LockFile is the file that Lock locks.
func (f *Folder) LockFile() string { return filepath.Join(f.path, "lock") }

func (f *Folder) metaFile() string { return filepath.Join(f.path, "campaign.json") }

func (f *Folder) writeMeta() error {
	data, err := json.MarshalIndent(f.meta, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(f.metaFile(), append(data, '\n'), nil)
}

// openFolder reads the folder at path, which must bear its own id: a path that leads anywhere else is
// refused before anything there is believed.
func openFolder(path string) (*Folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	id := filepath.Base(path)
	if !idPattern.MatchString(id) {
		return nil, fmt.Errorf("%w: %s does not end in a campaign's id", ErrNotCampaign, path)
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: no folder %s", ErrNotFound, path)
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is no folder", ErrNotCampaign, path)
	}
	f := &Folder{path: path}
	if err := f.readMeta(); err != nil {
		return nil, err
	}
	if f.meta.ID != id {
		return nil, fmt.Errorf("%w: %s says it is %q", ErrNotCampaign, f.metaFile(), f.meta.ID)
	}
	return f, nil
}

func (f *Folder) readMeta() error {
	info, err := os.Lstat(f.metaFile())
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s has no campaign.json", ErrNotCampaign, f.path)
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxMeta {
		return fmt.Errorf("%w: %s is no regular file of reasonable size", ErrNotCampaign, f.metaFile())
	}
	data, err := os.ReadFile(f.metaFile())
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &f.meta); err != nil {
		return fmt.Errorf("%w: read %s: %w", ErrNotCampaign, f.metaFile(), err)
	}
	if f.meta.Schema != Schema {
		return fmt.Errorf("%w: %s has schema %d, this heisen reads %d: use the version that made it (%s)",
			ErrNotCampaign, f.metaFile(), f.meta.Schema, Schema, f.meta.Version)
	}
	return nil
}
