package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"heisen/stress/durable"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// Folder is where a campaign keeps its bundles, below its own folder.
const Folder = "bundles"

// Contents is what goes into a bundle. Write fills the manifest's Schema, Output, Temp and Files.
type Contents struct {
	Manifest Manifest
	Output   *run.Output
	// DumpAt is as in run.Evidence: output bytes that had come at the dump signal, or -1.
	DumpAt int64
	// Trace and Spans are as in run.Evidence; nil where nothing was recorded.
	Trace *run.Trace
	Spans func() []run.Span
	// Divergence says where a failure parted from the nearest passing attempt; nil for none.
	Divergence *interleave.Divergence
	// Plan is as in run.Evidence: what was done to the schedule, as JSON; empty for nothing.
	Plan []byte
	// Temp is the attempt's temp folder, to be copied; empty for none.
	Temp       string
	TempLimits TempLimits
	// Fail has the points "write" and "sync" (each file), "syncdir" (each folder) and "rename".
	Fail durable.Failpoints
}

// Ref names a bundle: its folder, slash-separated and relative to the campaign's, and the SHA-256 of its
// manifest, which holds those of all its files.
type Ref struct {
	Path         string
	ManifestHash string
}

// Write makes the bundle bundles/PLACE in a campaign's folder; place is FOLDER/NAME. After a crash or a
// power cut at any moment it is there whole or not at all: everything is written and synced under a
// temporary name in bundles/, renamed, and the folders that hold the names are synced.
//
// A bundle already in that place is what an earlier, interrupted attempt left, and is replaced. After an
// error Write can be called again; durable.IsNoSpace tells that freeing space will help.
func Write(campaign, place string, c Contents) (Ref, error) {
	ref, err := write(campaign, place, c)
	if err == nil {
		return ref, nil
	}
	advice := ""
	if durable.IsNoSpace(err) {
		advice = ": free some space and resume"
	}
	return Ref{}, fmt.Errorf("write bundle %s: %w%s", place, err, advice)
}

func write(campaign, place string, c Contents) (Ref, error) {
	if !fs.ValidPath(place) || strings.Count(place, "/") != 1 {
		return Ref{}, fmt.Errorf("place %q is not FOLDER/NAME", place)
	}
	root, err := os.OpenRoot(campaign)
	if err != nil {
		return Ref{}, err
	}
	defer root.Close()
	d := disk{root, c.Fail}
	final := path.Join(Folder, place)
	for _, dir := range []string{Folder, path.Dir(final)} {
		if err := d.folder(dir); err != nil {
			return Ref{}, err
		}
	}
	temp := path.Join(Folder, stagingName())
	hash, err := fill(d, temp, c)
	if err == nil {
		err = publish(d, temp, final)
	}
	if err != nil {
		// The first error is the one to tell; what cannot be removed now is swept at the next resume.
		_ = root.RemoveAll(temp)
		return Ref{}, err
	}
	return Ref{Path: final, ManifestHash: hash}, nil
}

// fill writes all files of a bundle into the new folder temp, the manifest last, and syncs them.
func fill(d disk, temp string, c Contents) (string, error) {
	if err := d.folder(temp); err != nil {
		return "", err
	}
	root, err := d.root.OpenRoot(temp)
	if err != nil {
		return "", err
	}
	defer root.Close()
	in := disk{root, c.Fail}
	m := c.Manifest
	m.Schema = Schema
	m.Output = account(c.Output, c.DumpAt)
	m.Files, err = writeEvidence(in, &m, &c)
	if err != nil {
		return "", err
	}
	var folders []string
	if c.Temp != "" {
		var files []File
		if m.Temp, files, folders, err = copyTemp(c.Temp, in, c.TempLimits); err != nil {
			return "", err
		}
		m.Files = append(m.Files, files...)
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	data, err := json.MarshalIndent(&m, "", "  ")
	if err != nil {
		return "", err
	}
	if _, err := in.file(ManifestFile, bytes.NewReader(append(data, '\n'))); err != nil {
		return "", err
	}
	for _, dir := range append(folders, ".") {
		if err := in.sync(dir); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(append(data, '\n'))
	return hex.EncodeToString(sum[:]), nil
}

// writeEvidence writes what is made from the output and the manifest's facts.
func writeEvidence(in disk, m *Manifest, c *Contents) ([]File, error) {
	log := c.Output.Bytes()
	rows, cut := timesOf(c.Output)
	if cut {
		m.NotCollected = maps.Clone(m.NotCollected)
		if m.NotCollected == nil {
			m.NotCollected = make(map[string]string)
		}
		m.NotCollected[TimesFile] = fmt.Sprintf("more than %d rows: the last stands for all that came later", maxRows)
	}
	contents := []content{
		{OutputFile, log},
		{TimesFile, formatTimes(rows)},
		{ScriptFile, script(m)},
	}
	if at := m.Output.Dump; at >= 0 && at < int64(len(log)) {
		contents = append(contents, content{DumpFile, log[at:]})
	}
	traced, err := traceContents(c)
	if err != nil {
		return nil, err
	}
	contents = append(contents, traced...)
	if len(c.Plan) > 0 {
		contents = append(contents, content{PlanFile, c.Plan})
	}
	var files []File
	for _, content := range contents {
		f, err := in.file(content.name, bytes.NewReader(content.data))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// publish gives a finished folder its final name. An older one there is moved aside first, since rename(2)
// replaces empty folders only; a crash between the two renames leaves neither, and the attempt, which has
// no record yet, runs again. All folders above are synced, since any of them may be new.
func publish(d disk, temp, final string) error {
	if err := d.fail.Hit("rename"); err != nil {
		return err
	}
	aside := path.Join(Folder, stagingName())
	switch err := d.root.Rename(final, aside); {
	case err == nil:
		defer func() { _ = d.root.RemoveAll(aside) }()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := d.root.Rename(temp, final); err != nil {
		return err
	}
	for _, dir := range []string{path.Dir(final), Folder, "."} {
		if err := d.sync(dir); err != nil {
			return err
		}
	}
	return nil
}
