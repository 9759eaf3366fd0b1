package travel

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"heisen/repro/bundle"
	"heisen/stress/run"
)

const canary = "kn0ck-knock+who/there"

// packable writes a bundle whose every part holds the canary, and gives it opened.
func packable(t testing.TB, output string) *bundle.Bundle {
	t.Helper()
	temp, campaign := t.TempDir(), t.TempDir()
	write := func(name, data string) {
		require.NoError(t, os.WriteFile(filepath.Join(temp, name), []byte(data), 0o600))
	}
	write("log.txt", "before\ntoken "+canary+" after\n")
	write("core", "\x00\x01ELF"+canary)
	write("plain.bin", "\x00\x01nothing")
	out := &run.Output{Head: []run.Chunk{{Stream: run.Stdout, At: time.Millisecond, Data: []byte(output)}}, Total: int64(len(output))}
	ref, err := bundle.Write(campaign, "abcd/00000007", bundle.Contents{
		Manifest: bundle.Manifest{
			Campaign: "20260101-000000-abcdef", Epoch: 1,
			Attempt: bundle.Attempt{Seq: 7, Try: 1, Seed: 1<<64 - 1, Temp: bundle.Text(temp)},
			Command: bundle.Command{Given: []bundle.Text{"t", canary}, Args: []bundle.Text{"t", bundle.Text("-p" + canary), bundle.Text("\xff" + canary)},
				Path: "/home/alice/t", Dir: "/home/alice"},
			Hashes:      map[string]string{"/home/alice/t": strings.Repeat("ab", 32)},
			Environment: bundle.Environment{Values: map[string]bundle.Text{"LANG": canary}, Names: []bundle.Text{"MY_TOKEN"}},
			Ending:      bundle.Ending{Outcome: run.Fail, Code: 1},
			Signature:   &bundle.Signature{ID: "abcd", Title: "boom " + canary},
		},
		Output: out, DumpAt: -1, Temp: temp, TempLimits: bundle.TempLimits{Bytes: 1 << 20, Entries: 10},
	})
	require.NoError(t, err)
	b, err := bundle.Open(filepath.Join(campaign, ref.Path))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

var alice = Facts{Environ: []string{"MY_TOKEN=" + canary, "LANG=C", "SHORT_TOKEN=ab"}, Home: "/home/alice"}

// Fault 49: a secret of the environment is in no form in what leaves, wherever the test put it.
func TestFault49CanaryDoesNotLeave(t *testing.T) {
	var lines []string
	for offset := range 3 {
		lines = append(lines, base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", offset)+canary+"yz")),
			base64.URLEncoding.EncodeToString([]byte(strings.Repeat("x", offset)+canary)))
	}
	lines = append(lines, canary, "https://h/?q="+url.QueryEscape(canary), "/p/"+url.PathEscape(canary), hex.EncodeToString([]byte(canary)))
	b := packable(t, strings.Join(lines, "\n")+"\n")
	p, err := Pack(b, alice, nil)
	require.NoError(t, err)
	for _, f := range p.files {
		for _, form := range forms(canary) {
			require.NotContains(t, string(f.data), form, f.name)
		}
		require.NotContains(t, string(f.data), "alice", f.name)
	}
	require.Contains(t, p.LeftOut, "tmp/core", "what is no text stays behind")
	require.NotContains(t, p.LeftOut, "tmp/plain.bin")
	masked := string(p.content(t, bundle.OutputFile))
	require.Contains(t, masked, "https://h/?q=[redacted]", "only the canary was masked")
	require.Len(t, strings.Split(masked, "\n"), len(lines)+1)
}

func (p *Parcel) content(t testing.TB, name string) []byte {
	t.Helper()
	for _, f := range p.files {
		if f.name == name {
			return f.data
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

// The control: without the facts the same bundle leaks.
func TestFault49Control(t *testing.T) {
	p, err := Pack(packable(t, canary+"\n"), Facts{}, nil)
	require.NoError(t, err)
	require.Contains(t, string(p.content(t, bundle.OutputFile)), canary)
}

func TestMaskingKeepsPlaces(t *testing.T) {
	text := "a\npassword=hunter22 b\nAKIAABCDEFGHIJKLMNOP\n/home/alice/x\n"
	masked, found := mask("f", []byte(text), rules(Facts{Home: "/home/alice"}))
	require.Len(t, masked, len(text))
	require.Equal(t, "a\npassword=******** b\n[redacted]**********\n/home/*****/x\n", string(masked))
	require.Len(t, found, 2)
	require.Equal(t, Finding{Rule: "secret's shape", Why: found[0].Why, File: "f", Count: 2, Line: 2}, found[0])
	again, more := mask("f", masked, rules(Facts{Home: "/home/alice"}))
	require.Equal(t, masked, again)
	require.Empty(t, more, "what is masked is not found again")
}

func TestRandomText(t *testing.T) {
	for text, want := range map[string]bool{
		"q7Zp4Xk9Lm2Vt8Bn3Rw6Ys1D":                                         true,
		"test_interpreter_is_running_in_another_thread":                    false,
		"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824": false,
		"TestWorkerIsRunningWhenItsParentHasGone2":                         false,
		"/usr/lib/python3.11/site-packages/pytest/runner.py":               false,
		strings.Repeat("q7Zp4Xk9Lm2Vt8Bn3Rw6Ys1D", 40):                     false,
	} {
		require.Equal(t, want, len(random([]byte(text))) > 0, text)
	}
}

func TestKeepLetsARuleBe(t *testing.T) {
	b := packable(t, "q7Zp4Xk9Lm2Vt8Bn3Rw6Ys1D\n")
	p, err := Pack(b, Facts{}, []string{randomRule})
	require.NoError(t, err)
	require.Contains(t, string(p.content(t, bundle.OutputFile)), "q7Zp4X")
	p, err = Pack(b, Facts{}, nil)
	require.NoError(t, err)
	require.NotContains(t, string(p.content(t, bundle.OutputFile)), "q7Zp4X")
}

func packed(t testing.TB) []byte {
	t.Helper()
	p, err := Pack(packable(t, "out\n"), alice, nil)
	require.NoError(t, err)
	var buf bytes.Buffer
	require.NoError(t, p.Write(&buf))
	return buf.Bytes()
}

func TestExportIsTheSameByteForByte(t *testing.T) {
	b := packable(t, "out\n")
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		p, err := Pack(b, alice, nil)
		require.NoError(t, err)
		require.NoError(t, p.Write(w))
	}
	require.Equal(t, first.Bytes(), second.Bytes())
	require.NotContains(t, first.String(), "root", "nothing of the writer is in the headers")
}

func TestRoundTrip(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	b := packable(t, "out "+canary+"\n")
	p, err := Pack(b, alice, nil)
	require.NoError(t, err)
	var buf bytes.Buffer
	require.NoError(t, p.Write(&buf))
	dir := t.TempDir()
	folder, hash, err := Import(bytes.NewReader(buf.Bytes()), dir)
	require.NoError(t, err)
	require.Equal(t, p.Hash, hash)
	got, err := bundle.Open(folder)
	require.NoError(t, err)
	defer got.Close()
	require.NoError(t, got.Verify())
	require.Equal(t, b.Hash, got.Manifest.Exported.From)
	require.Equal(t, uint64(1<<64-1), got.Manifest.Attempt.Seed)
	require.Equal(t, map[string]string{"/home/*****/t": strings.Repeat("ab", 32)}, got.Manifest.Hashes)
	lines, err := got.Lines()
	require.NoError(t, err, "places in the output still fit")
	for l := range lines {
		require.Equal(t, time.Millisecond, l.At)
	}
	info, err := os.Stat(filepath.Join(folder, "tmp/log.txt"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again, _, err := Import(bytes.NewReader(buf.Bytes()), dir)
	require.NoError(t, err)
	require.Equal(t, folder, again, "the same bundle twice is one")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "tmp/log.txt"), []byte("other"), 0o600))
	_, _, err = Import(bytes.NewReader(buf.Bytes()), dir)
	require.ErrorContains(t, err, "something else")
}

// entry is one entry of a crafted archive.
type entry struct {
	header tar.Header
	data   []byte
}

// crafted rewrites a good archive.
func crafted(t testing.TB, change func([]entry) []entry) []byte {
	t.Helper()
	dec, err := zstd.NewReader(bytes.NewReader(packed(t)))
	require.NoError(t, err)
	defer dec.Close()
	in := tar.NewReader(dec)
	var all []entry
	for {
		h, err := in.Next()
		if err != nil {
			break
		}
		var data bytes.Buffer
		_, err = data.ReadFrom(in)
		require.NoError(t, err)
		all = append(all, entry{*h, data.Bytes()})
	}
	var buf bytes.Buffer
	enc, err := zstd.NewWriter(&buf)
	require.NoError(t, err)
	out := tar.NewWriter(enc)
	for _, e := range change(all) {
		e.header.Size = int64(len(e.data))
		require.NoError(t, out.WriteHeader(&e.header))
		_, err := out.Write(e.data)
		require.NoError(t, err)
	}
	require.NoError(t, out.Close())
	require.NoError(t, enc.Close())
	return buf.Bytes()
}

func file(name, data string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o777}, []byte(data)}
}

func special(kind byte, name, link string) entry {
	return entry{tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o777}, nil}
}

// Fault 42, 43: an archive that no export wrote is refused whole, and nothing is outside the folder.
func TestFault42CraftedArchivesAreRefused(t *testing.T) {
	with := func(e ...entry) func([]entry) []entry { return func(all []entry) []entry { return append(all, e...) } }
	for name, change := range map[string]func([]entry) []entry{
		"traversal":          with(file("../../evil", "x")),
		"absolute":           with(file("/tmp/evil-heisen", "x")),
		"dots inside":        with(file("tmp/../../evil", "x")),
		"symbolic link":      with(special(tar.TypeSymlink, "tmp/l", "/etc/passwd")),
		"through a link":     with(special(tar.TypeSymlink, "l", "/tmp"), file("l/evil-heisen", "x")),
		"hard link":          with(special(tar.TypeLink, "tmp/l", "manifest.json")),
		"pipe":               with(special(tar.TypeFifo, "tmp/p", "")),
		"device":             with(special(tar.TypeChar, "tmp/d", "")),
		"folder":             with(special(tar.TypeDir, "tmp/e/", "")),
		"duplicate":          func(all []entry) []entry { return append(all, all[len(all)-1]) },
		"second manifest":    func(all []entry) []entry { return append(all, all[0]) },
		"not listed":         with(file("tmp/more", "x")),
		"missing":            func(all []entry) []entry { return all[:len(all)-1] },
		"changed":            func(all []entry) []entry { all[len(all)-1].data[0] ^= 1; return all },
		"manifest last":      func(all []entry) []entry { return append(all[1:], all[0]) },
		"no manifest":        func(all []entry) []entry { return all[1:] },
		"empty":              func([]entry) []entry { return nil },
		"control characters": with(file("tmp/\x1b]52;c;QQ==\a", "x")),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "deep", "er")
			_, _, err := Import(bytes.NewReader(crafted(t, change)), dir)
			require.ErrorIs(t, err, ErrRefused)
			left, err := filepath.Glob(filepath.Join(dir, Folder, "*"))
			require.NoError(t, err)
			require.Empty(t, left)
			hidden, err := os.ReadDir(filepath.Join(dir, Folder))
			require.NoError(t, err)
			require.Empty(t, hidden, "not even an unfinished folder")
			require.NoFileExists(t, filepath.Join(filepath.Dir(dir), "evil"))
			require.NoFileExists(t, "/tmp/evil-heisen")
		})
	}
}

// The control: the same archive, unchanged, is taken.
func TestFault42Control(t *testing.T) {
	_, _, err := Import(bytes.NewReader(crafted(t, func(all []entry) []entry { return all })), t.TempDir())
	require.NoError(t, err)
}

func TestEveryCutIsRefused(t *testing.T) {
	whole := packed(t)
	for n := 0; n < len(whole); n += 1 + len(whole)/150 {
		_, _, err := Import(bytes.NewReader(whole[:n]), t.TempDir())
		require.Error(t, err, "cut at %d of %d", n, len(whole))
	}
}

// Fault 44: what unpacks to more than the bound, or says so, is refused before it is on disk.
func TestFault44DecompressionBomb(t *testing.T) {
	var buf bytes.Buffer
	enc, err := zstd.NewWriter(&buf)
	require.NoError(t, err)
	out := tar.NewWriter(enc)
	require.NoError(t, out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: bundle.ManifestFile, Size: maxTotal + 1, Mode: 0o600}))
	require.NoError(t, enc.Close())
	dir := t.TempDir()
	_, _, err = Import(&buf, dir)
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "unpacked")

	// A small frame that asks for a window of 2 GiB.
	_, _, err = Import(bytes.NewReader([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00}), dir)
	require.ErrorIs(t, err, ErrRefused)
}

func FuzzImport(f *testing.F) {
	f.Add(packed(f))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		folder, hash, err := Import(bytes.NewReader(data), dir)
		if err != nil {
			left, readErr := os.ReadDir(filepath.Join(dir, Folder))
			require.NoError(t, readErr)
			require.Empty(t, left, "refused whole")
			return
		}
		got, err := verify(folder)
		require.NoError(t, err)
		require.Equal(t, hash, got)
	})
}
