package campaign

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"heisen/stress/durable"
)

// ErrForeign is wrapped when a temporary folder is not, or no longer, what heisen made: a symbolic link,
// another user's, of another mode. It is left alone.
var ErrForeign = errors.New("not a folder heisen made")

// rootPattern is the last element of a temporary root. It is short for the sake of socket paths.
var rootPattern = regexp.MustCompile(`^heisen-[0-9a-f]{8}$`)

// Temp hands out the private temporary folders of attempts: <root>/<slot>. Different slots may be used
// concurrently.
type Temp struct {
	folder *Folder
	path   string
	root   *os.File
	seen   *stamps
}

// NewTemp makes the root of this session in the machine's temporary folder (os.TempDir). Its name is
// written to campaign.json before it is made, so that a crash leaves no root that nobody knows of; mkdir(2)
// refuses a name that is taken, whatever took it. The caller holds the campaign's lock and has called
// Collect.
func (f *Folder) NewTemp(random io.Reader) (*Temp, error) {
	if f.meta.TempRoot != "" {
		return nil, fmt.Errorf("make temporary root: %s is still there: collect first", f.meta.TempRoot)
	}
	for try := 0; ; try++ {
		path, err := f.makeRoot(random)
		if errors.Is(err, fs.ErrExist) && try < 10 {
			continue
		}
		if err != nil {
			// Another's folder of that name must not be taken for ours by a later Collect.
			return nil, fmt.Errorf("make temporary root: %w", errors.Join(err, f.setTempRoot("")))
		}
		root, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("make temporary root: %w", err)
		}
		return &Temp{folder: f, path: path, root: root, seen: newStamps(root)}, nil
	}
}

func (f *Folder) makeRoot(random io.Reader) (string, error) {
	var name [4]byte
	if _, err := io.ReadFull(random, name[:]); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	dir, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "heisen-"+hex.EncodeToString(name[:]))
	if err := f.setTempRoot(path); err != nil {
		return "", err
	}
	if err := os.Mkdir(path, durable.FolderMode); err != nil {
		return "", err
	}
	return path, os.Chmod(path, durable.FolderMode)
}

func (f *Folder) setTempRoot(path string) error {
	old := f.meta.TempRoot
	f.meta.TempRoot = path
	if err := f.writeMeta(); err != nil {
		f.meta.TempRoot = old
		return err
	}
	return nil
}

// Root is the folder that holds all slots' folders.
func (t *Temp) Root() string { return t.path }

// Prepare returns the slot's folder: empty, private (0700) and ours. The one that Release left is used
// again when it is all that; anything else of that name is removed first.
func (t *Temp) Prepare(slot int) (string, error) {
	name := strconv.Itoa(slot)
	if err := prepareDir(t.root, name, t.seen); err != nil {
		return "", fmt.Errorf("prepare temporary folder of slot %d: %w", slot, err)
	}
	return t.path + string(filepath.Separator) + name, nil
}

// Release empties the slot's folder, whatever the attempt left there: folders without permissions,
// read-only files, deep and wide trees. Symbolic links are removed and never followed. What cannot be
// removed (files of root's in folders of root's, mounts) is named in the error and left, in a place
// of its own in that folder; Prepare fails then, too.
func (t *Temp) Release(slot int) error {
	if err := emptyDir(t.root, strconv.Itoa(slot), t.seen); err != nil {
		return fmt.Errorf("empty temporary folder of slot %d: %w", slot, err)
	}
	return nil
}

// Close removes the root with all that is in it. Where something cannot be removed the root stays known to
// the campaign, and the next Collect tries again.
func (t *Temp) Close() error {
	err := errors.Join(t.root.Close(), t.folder.removeRoot())
	if err != nil {
		return fmt.Errorf("remove temporary root: %w", err)
	}
	return nil
}

// removeRoot removes the root that campaign.json names, if it is one that heisen made.
func (f *Folder) removeRoot() error {
	path := f.meta.TempRoot
	if path == "" {
		return nil
	}
	// campaign.json may have been edited, or come from elsewhere.
	if !filepath.IsAbs(path) || !rootPattern.MatchString(filepath.Base(path)) {
		return fmt.Errorf("%w: %s in %s: remove it from there", ErrForeign, path, f.metaFile())
	}
	if err := removeOwnTree(path); err != nil {
		return err
	}
	return f.setTempRoot("")
}
