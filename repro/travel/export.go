package travel

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"heisen/repro/bundle"
)

// Suffix ends the name of an exported bundle.
const Suffix = ".heisen.tar.zst"

// windowSize is how far back the compressor looks, and what a reader must hold.
const windowSize = 4 << 20

// Parcel is a bundle packed to leave: nothing of it has been written yet.
type Parcel struct {
	// Manifest is that of the copy that leaves; Hash is its SHA-256, by which a receiver trusts it.
	Manifest bundle.Manifest
	Hash     string
	// Findings are what was masked, LeftOut the files that stay here, with the reason.
	Findings []Finding
	LeftOut  map[string]string
	files    []content
}

type content struct {
	name string
	data []byte
}

// Pack reads a bundle, checks it, and makes the copy that would leave. The bundle itself is not changed. keep
// names rules whose findings may leave, as the preview calls them.
func Pack(b *bundle.Bundle, facts Facts, keep []string) (*Parcel, error) {
	p := &Parcel{LeftOut: map[string]string{}}
	all := slices.DeleteFunc(rules(facts), func(r rule) bool { return slices.Contains(keep, r.name) })
	if err := p.pack(b, all); err != nil {
		return nil, fmt.Errorf("pack bundle %s: %w", b.Path(), err)
	}
	return p, nil
}

func (p *Parcel) pack(b *bundle.Bundle, rules []rule) error {
	m, found, err := maskManifest(&b.Manifest, rules)
	if err != nil {
		return err
	}
	p.Findings = found
	m.Files = nil
	for _, f := range b.Manifest.Files {
		if err := p.file(b, f, rules, m); err != nil {
			return err
		}
	}
	m.Exported = &bundle.Exported{From: b.Hash, Masked: count(p.Findings), LeftOut: p.LeftOut}
	if len(p.LeftOut) == 0 {
		m.Exported.LeftOut = nil
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	sum := sha256.Sum256(data)
	p.Manifest, p.Hash = *m, hex.EncodeToString(sum[:])
	p.files = slices.Insert(p.files, 0, content{bundle.ManifestFile, data})
	return nil
}

// file packs one file: masked if it is text, as it is or not at all otherwise.
func (p *Parcel) file(b *bundle.Bundle, f bundle.File, rules []rule, m *bundle.Manifest) error {
	if f.Size > bundle.MaxRead {
		p.LeftOut[f.Path] = fmt.Sprintf("it has more than %d MiB", bundle.MaxRead>>20)
		return nil
	}
	data, err := b.ReadFile(f.Path)
	if err != nil {
		return err
	}
	masked, found := mask(f.Path, data, rules)
	if _, inName := mask(f.Path, []byte(f.Path), rules); len(inName) > 0 {
		p.LeftOut[string(maskName(f.Path, rules))] = "its name: " + inName[0].Why
		return nil
	}
	if len(found) > 0 && !textual(data) {
		if slices.ContainsFunc(found, func(f Finding) bool { return f.Rule != randomRule }) {
			p.LeftOut[f.Path] = "it is no text, and " + found[0].Why
			return nil
		}
		masked, found = data, nil // what is not text is full of what looks random
	}
	p.Findings = append(p.Findings, found...)
	sum := sha256.Sum256(masked)
	m.Files = append(m.Files, bundle.File{Path: f.Path, Size: int64(len(masked)), SHA256: hex.EncodeToString(sum[:])})
	p.files = append(p.files, content{f.Path, masked})
	return nil
}

func maskName(name string, rules []rule) []byte {
	masked, _ := mask(name, []byte(name), rules)
	return masked
}

func count(all []Finding) map[string]int {
	if len(all) == 0 {
		return nil
	}
	n := map[string]int{}
	for _, f := range all {
		rule, _, _ := strings.Cut(f.Rule, " of ") // which variables are secret here is no one else's business
		n[rule] += f.Count
	}
	return n
}

// Write writes the parcel: a tar archive, its entries in a fixed order with nothing of this machine in their
// headers, compressed by one thread. The same parcel gives the same bytes.
func (p *Parcel) Write(w io.Writer) error {
	enc, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(windowSize))
	if err != nil {
		return err
	}
	archive := tar.NewWriter(enc)
	for _, f := range p.files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.data)), Mode: 0o600, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
		if _, err := io.Copy(archive, bytes.NewReader(f.data)); err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return enc.Close()
}

// Size is the number of bytes of all files together, before compression.
func (p *Parcel) Size() (bytes int64, files int) {
	for _, f := range p.files {
		bytes += int64(len(f.data))
	}
	return bytes, len(p.files)
}
