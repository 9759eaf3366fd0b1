package campaign

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var someTime = time.Date(2026, 11, 21, 22, 45, 12, 0, time.UTC)

// create makes a campaign a number of seconds after someTime, with that number as its random bytes.
func create(t *testing.T, s Store, n int) *Folder {
	t.Helper()
	f, err := s.Create(someTime.Add(time.Duration(n)*time.Second), bytes.NewReader([]byte{0, 0, byte(n)}), "v1")
	require.NoError(t, err)
	return f
}

func newStore(t *testing.T) Store { return NewStore(filepath.Join(t.TempDir(), "deep", ".heisen")) }

func TestCreate(t *testing.T) {
	s := newStore(t)
	zone := time.FixedZone("east", 3*3600)
	f, err := s.Create(someTime.In(zone), bytes.NewReader([]byte{0x3f, 0xa9, 0xc1}), "v1.2")
	require.NoError(t, err)
	require.Equal(t, "20261121-224512-3fa9c1", f.ID())
	require.Equal(t, filepath.Join(s.Dir(), f.ID()), f.Path())
	require.DirExists(t, f.Bundles())
	require.NoDirExists(t, f.Journal(), "the journal makes its own")

	again, err := s.Open(f.ID())
	require.NoError(t, err)
	require.Equal(t, Meta{Schema: 1, ID: f.ID(), Created: someTime, Version: "v1.2"}, again.Meta())
	require.Equal(t, f, again)
	entries, err := os.ReadDir(s.Dir())
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing unfinished is left")
}

func TestCreateThatFailsLeavesNothing(t *testing.T) {
	s := newStore(t)
	f := create(t, s, 1)
	_, err := s.Create(someTime.Add(time.Second), bytes.NewReader([]byte{0, 0, 1}), "v1")
	require.ErrorIs(t, err, os.ErrExist)
	_, err = s.Create(someTime, bytes.NewReader(nil), "v1")
	require.ErrorContains(t, err, "random")
	entries, err := os.ReadDir(s.Dir())
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, f.ID(), entries[0].Name())

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = NewStore(filepath.Join(file, "store")).Create(someTime, bytes.NewReader([]byte("abc")), "v1")
	require.Error(t, err)
}

func TestOpen(t *testing.T) {
	s := newStore(t)
	one, two, three := create(t, s, 1), create(t, s, 2), create(t, s, 60)
	for _, c := range []struct {
		name, ref string
		want      *Folder
	}{
		{"id", one.ID(), one},
		{"unique prefix", "20261121-224513", one},
		{"another", "20261121-224514-", two},
		{"last", "last", three},
		{"path", two.Path(), two},
		{"path with a slash at its end", two.Path() + "/", two},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.Open(c.ref)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	t.Run("relative path", func(t *testing.T) {
		t.Chdir(filepath.Dir(one.Path()))
		got, err := s.Open("./" + one.ID())
		require.NoError(t, err)
		require.Equal(t, one.Path(), got.Path())
	})
}

func TestOpenRefuses(t *testing.T) {
	s := newStore(t)
	f := create(t, s, 1)
	create(t, s, 2)
	link := filepath.Join(t.TempDir(), f.ID())
	require.NoError(t, os.Symlink(f.Path(), link))
	for _, c := range []struct {
		name, ref string
		want      error
	}{
		{"nothing", "", ErrBadReference},
		{"fault 30: NUL", "2026\x00", ErrBadReference},
		{"fault 30: NUL in a path", f.Path() + "\x00/../x", ErrBadReference},
		{"fault 30: outside", "../../x", ErrNotCampaign},
		{"fault 30: outside, ends in an id", "../../20261121-224512-000000", ErrNotFound},
		{"fault 30: dots", "..", ErrBadReference},
		{"fault 30: root", "/", ErrNotCampaign},
		{"fault 30: 300 bytes", strings.Repeat("2", 300), ErrBadReference},
		{"a word", "newest", ErrBadReference},
		{"unknown id", "20201121-224512-000000", ErrNotFound},
		{"ambiguous", "20261121", ErrAmbiguous},
		{"a folder of something else", filepath.Dir(f.Path()) + "/", ErrNotCampaign},
		{"a link to a campaign", link, ErrNotCampaign},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.Open(c.ref)
			require.ErrorIs(t, err, c.want)
			require.NotContains(t, err.Error(), "\x00", "what was typed is quoted")
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := newStore(t).Open(Last)
	require.ErrorIs(t, err, ErrNotFound)
}

func TestUnreadableCampaignsAreListedAndDoNotStopTheList(t *testing.T) {
	s := newStore(t)
	good := create(t, s, 1)
	edit := func(n int, change func(f *Folder)) string {
		f := create(t, s, n)
		change(f)
		return f.ID()
	}
	meta := func(change func(m *Meta)) func(*Folder) {
		return func(f *Folder) {
			change(&f.meta)
			data, err := json.Marshal(f.meta)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(f.metaFile(), data, 0o600))
		}
	}
	bad := map[string]string{
		edit(2, func(f *Folder) { require.NoError(t, os.Remove(f.metaFile())) }):                        "no campaign.json",
		edit(3, func(f *Folder) { require.NoError(t, os.WriteFile(f.metaFile(), []byte("{"), 0)) }):     "campaign.json",
		edit(4, meta(func(m *Meta) { m.Schema = 2 })):                                                   "schema 2",
		edit(5, meta(func(m *Meta) { m.ID = "20261121-224512-ffffff" })):                                "says it is",
		edit(6, func(f *Folder) { require.NoError(t, os.Truncate(f.metaFile(), 2<<20)) }):               "reasonable size",
		edit(7, func(f *Folder) { os.Remove(f.metaFile()); os.Symlink("/etc/passwd", f.metaFile()) }):   "no regular file",
		edit(8, func(f *Folder) { os.RemoveAll(f.Path()); os.WriteFile(f.Path(), []byte("x"), 0o600) }): "no folder",
	}
	for _, foreign := range []string{"notes.txt", ".gitignore", ".tmp-20261121-224512-000000", "20261121"} {
		require.NoError(t, os.WriteFile(filepath.Join(s.Dir(), foreign), nil, 0o600))
	}
	all, err := s.List()
	require.NoError(t, err)
	require.Len(t, all, 1+len(bad))
	require.IsDecreasing(t, names(all), "newest first")
	for _, one := range all {
		if one.Name == good.ID() {
			require.Equal(t, good, one.Folder)
			continue
		}
		require.ErrorIs(t, one.Err, ErrNotCampaign)
		require.ErrorContains(t, one.Err, bad[one.Name])
		_, err := s.Open(one.Name)
		require.ErrorIs(t, err, ErrNotCampaign)
	}
	last, err := s.Open(Last)
	require.NoError(t, err)
	require.Equal(t, good, last)
}

func names(all []Listed) (names []string) {
	for _, one := range all {
		names = append(names, one.Name)
	}
	return names
}

func TestListWithoutAStore(t *testing.T) {
	all, err := newStore(t).List()
	require.NoError(t, err)
	require.Empty(t, all)
}

// bundle makes a bundle whose manifest is so many seconds old.
func bundle(t *testing.T, f *Folder, name string, age int) string {
	t.Helper()
	path := filepath.Join(f.Bundles(), filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(path, 0o700))
	manifest := filepath.Join(path, ManifestName)
	require.NoError(t, os.WriteFile(manifest, []byte("{}"), 0o600))
	at := someTime.Add(-time.Duration(age) * time.Second)
	require.NoError(t, os.Chtimes(manifest, at, at))
	return path
}

func paths(bundles []Bundle) (paths []string) {
	for _, b := range bundles {
		paths = append(paths, b.Path)
	}
	return paths
}

func TestBundles(t *testing.T) {
	s := newStore(t)
	f, later := create(t, s, 1), create(t, s, 2)
	none, err := f.ListBundles()
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = s.ResolveBundle(Last)
	require.ErrorIs(t, err, ErrNotFound)

	old := bundle(t, f, "aaaa/1", 30)
	same1, same2 := bundle(t, f, "aaaa/2", 20), bundle(t, f, "bbbb/3", 20)
	newest := bundle(t, f, "aaaa/4", 1)
	bundle(t, later, "cccc/1", 10)
	bundle(t, f, "aaaa/.tmp-5", 0)
	bundle(t, f, ".tmp-dddd/5", 0)
	require.NoError(t, os.MkdirAll(filepath.Join(f.Bundles(), "aaaa", "no-manifest"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(f.Bundles(), "stray"), nil, 0o600))
	require.NoError(t, os.Symlink(newest, filepath.Join(f.Bundles(), "aaaa", "link")))

	all, err := f.ListBundles()
	require.NoError(t, err)
	require.Equal(t, []string{newest, same2, same1, old}, paths(all))

	got, err := s.ResolveBundle(Last)
	require.NoError(t, err)
	require.Equal(t, newest, got, "the newest of all campaigns, not the newest campaign's")
	got, err = s.ResolveBundle(old + "/")
	require.NoError(t, err)
	require.Equal(t, old, got)
	for ref, want := range map[string]error{
		"": ErrBadReference, old + "\x00": ErrBadReference, "../../x": ErrNotFound, f.Path(): ErrNotFound,
	} {
		_, err := s.ResolveBundle(ref)
		require.ErrorIs(t, err, want, "%q", ref)
	}
}

func TestCollect(t *testing.T) {
	f := create(t, newStore(t), 1)
	kept := bundle(t, f, "aaaa/1", 0)
	half1, half2 := bundle(t, f, "aaaa/.tmp-2", 0), bundle(t, f, ".tmp-bbbb/3", 0)
	c, err := f.Collect()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{half1, filepath.Dir(half2)}, c.Unfinished)
	require.Empty(t, c.TempRoot)
	require.NoDirExists(t, half1)
	require.NoDirExists(t, half2)
	require.FileExists(t, filepath.Join(kept, ManifestName))
	c, err = f.Collect()
	require.NoError(t, err)
	require.Empty(t, c.Unfinished)
}

func TestDiscardUnknown(t *testing.T) {
	f := create(t, newStore(t), 1)
	known := bundle(t, f, "aaaa/1", 0)
	unknown, alone := bundle(t, f, "aaaa/2", 0), bundle(t, f, "bbbb/3", 0)
	removed, err := f.DiscardUnknown(map[string]bool{"bundles/aaaa/1": true})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"bundles/aaaa/2", "bundles/bbbb/3"}, removed)
	require.DirExists(t, known)
	require.NoDirExists(t, unknown)
	require.NoDirExists(t, filepath.Dir(alone), "a signature without bundles goes, too")
}

func TestRemovingFollowsNoLinkInTheBundles(t *testing.T) {
	f := create(t, newStore(t), 1)
	outside := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.MkdirAll(outside, 0o700))
	for _, name := range []string{".tmp-planted", "planted"} {
		require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(f.Bundles(), name)))
	}
	c, err := f.Collect()
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(f.Bundles(), ".tmp-planted")}, c.Unfinished)
	removed, err := f.DiscardUnknown(nil)
	require.NoError(t, err)
	require.Empty(t, removed)
	require.DirExists(t, outside)
}

func TestFault51RemovingFollowsNoLinkInPlaceOfTheBundles(t *testing.T) {
	f := create(t, newStore(t), 1)
	segment := filepath.Join(f.Journal(), "segment", "1")
	half := filepath.Join(f.Path(), ".tmp-half")
	require.NoError(t, os.MkdirAll(segment, 0o700))
	require.NoError(t, os.Mkdir(half, 0o700))
	require.NoError(t, os.Remove(f.Bundles()))
	require.NoError(t, os.Symlink(".", f.Bundles()))
	throughIt, err := os.ReadDir(f.Bundles())
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(throughIt, func(e os.DirEntry) bool { return e.Name() == ".tmp-half" }),
		"control: by its path alone, what would be removed is the campaign's own")
	_, err = f.Collect()
	require.ErrorContains(t, err, "move it away")
	_, err = f.DiscardUnknown(nil)
	require.ErrorContains(t, err, "move it away")
	require.DirExists(t, segment)
	require.DirExists(t, half)
}

func TestLastIsTheNewestAlsoWithinASecond(t *testing.T) {
	store := NewStore(t.TempDir())
	second := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	older, err := store.Create(second.Add(100*time.Millisecond), bytes.NewReader([]byte{0xff, 0xff, 0xff}), "test")
	require.NoError(t, err)
	newer, err := store.Create(second.Add(200*time.Millisecond), bytes.NewReader([]byte{0, 0, 0}), "test")
	require.NoError(t, err)
	require.Greater(t, older.ID(), newer.ID(), "the names alone say the opposite")
	last, err := store.Open(Last)
	require.NoError(t, err)
	require.Equal(t, newer.ID(), last.ID())
}
