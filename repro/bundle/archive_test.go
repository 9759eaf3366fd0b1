package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"heisen/stress/durable"
	"heisen/stress/run"
)

// signByOutput stands for the signature package: the first line is the title, its first word the id.
func signByOutput(_ *run.Finished, res *run.Result, _ []byte) Signature {
	title, _, _ := strings.Cut(string(res.Evidence.Output.Bytes()), "\n")
	id, _, _ := strings.Cut(title, " ")
	return Signature{ID: id, Title: title}
}

func archiver(t *testing.T, dir string, keep run.Keep, change ...func(*ArchiverConfig)) *Archiver {
	t.Helper()
	cfg := ArchiverConfig{
		Dir: dir, Sign: signByOutput,
		Facts: Facts{
			Campaign: "c1", Version: "test", Epoch: 2,
			Spec: run.Spec{
				Command: run.Command{
					Args: []string{"t", "--seed={seed}", "{tmp}/x"}, Path: "/bin/true", Dir: "/",
					Env: []string{"PYTHONHASHSEED={seed}", "API_TOKEN=canary-env"},
				},
				Keep: keep, Seed: 99, Ports: 4,
			},
			Tier:    run.Tier{Name: "D"},
			Environ: []string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=canary-inherited"},
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	a, err := NewArchiver(cfg)
	require.NoError(t, err)
	return a
}

// attempt is one that ended so and printed that.
func attempt(seq int64, outcome run.Outcome, output string) (run.Attempt, *run.Finished, *run.Result) {
	at := run.Attempt{Seq: seq, Try: 1, Slot: 3, Seed: 1234, PortBase: 20000, Running: 8, Timeout: time.Minute}
	fin := &run.Finished{Seq: seq, Try: 1, Outcome: outcome, Cause: "exit code 1"}
	res := &run.Result{Started: time.Unix(1e9, 0).UTC(), Wall: time.Second, Usage: run.Usage{User: time.Millisecond, MaxRSS: 4096}}
	res.Ending.Code = 1
	res.Evidence = run.Evidence{
		Output: run.Output{Head: []run.Chunk{chunk(run.Stdout, 1, output)}, Total: int64(len(output))},
		DumpAt: -1, Leaks: []run.Leak{{PID: 5, Command: "sleep"}}, NotCollected: map[string]string{"psi": "no"},
	}
	return at, fin, res
}

func TestArchiveKeepsTheFirstOfEachSignature(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Failures: 2})
	for seq := int64(1); seq <= 4; seq++ {
		at, fin, res := attempt(seq, run.Fail, "aaaa one\npassword=canary123\nend")
		filed, err := a.Archive(at, fin, res)
		require.NoError(t, err)
		require.Equal(t, "aaaa", filed.Signature)
		require.Equal(t, "aaaa one", filed.Title)
		if seq > 2 {
			require.Equal(t, &run.Filed{Signature: "aaaa", Title: "aaaa one", Tail: "aaaa one\npassword=[redacted]\nend"}, filed)
			continue
		}
		require.Empty(t, filed.Tail)
		b := opened(t, filepath.Join(dir, filed.Bundle))
		require.NoError(t, b.Verify())
		require.Equal(t, filed.Hash, b.Hash)
	}
	at, fin, res := attempt(5, run.Crash, "bbbb other")
	filed, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	require.Equal(t, "bundles/bbbb/00000005", filed.Bundle)
}

func TestArchiveWritesWhatItKnows(t *testing.T) {
	dir := t.TempDir()
	at, fin, res := attempt(7, run.Timeout, "aaaa\n")
	at.Temp = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(at.Temp, "log"), []byte("x"), 0o600))
	filed, err := archiver(t, dir, run.Keep{Failures: 1}).Archive(at, fin, res)
	require.NoError(t, err)
	m := opened(t, filepath.Join(dir, filed.Bundle)).Manifest
	require.Equal(t, Attempt{
		Seq: 7, Try: 1, Seed: 1234, CampaignSeed: 99, Slot: 3, PortBase: 20000, Ports: 4, Running: 8,
		Temp: Text(at.Temp), Timeout: 60_000_000,
	}, m.Attempt)
	require.Equal(t, []Text{"t", "--seed=1234", Text(at.Temp + "/x")}, m.Command.Args)
	require.Equal(t, []Text{"t", "--seed={seed}", "{tmp}/x"}, m.Command.Given)
	require.Equal(t, 2, m.Epoch)
	require.Equal(t, "D", m.Tier.Name)
	require.Equal(t, Ending{Outcome: run.Timeout, Cause: "exit code 1", Code: 1}, m.Ending)
	require.Equal(t, Timing{Started: res.Started, Wall: 1e6, User: 1000, MaxRSS: 4096}, m.Timing)
	require.Equal(t, res.Evidence.Leaks, m.Leaks)
	require.Equal(t, res.Evidence.NotCollected, m.NotCollected)
	require.Equal(t, Text("1234"), m.Environment.Values["PYTHONHASHSEED"])
	require.Equal(t, Text("7"), m.Environment.Values["HEISEN_ATTEMPT"])
	require.Equal(t, []Text{"API_TOKEN", "AWS_SECRET_ACCESS_KEY"}, m.Environment.Names)
	require.Equal(t, 1, m.Temp.Files)
	require.FileExists(t, filepath.Join(at.Temp, "log"))
}

func TestFault49NoSecretOfTheEnvironmentIsInABundle(t *testing.T) {
	dir := t.TempDir()
	at, fin, res := attempt(1, run.Fail, "aaaa\n")
	_, err := archiver(t, dir, run.Keep{Failures: 1}).Archive(at, fin, res)
	require.NoError(t, err)
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if e.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		require.NotContains(t, string(data), "canary", p)
		files++
		return err
	}))
	require.Equal(t, 4, files)
}

func TestArchiveFilesOnlyWhatSaysSomethingAboutTheTest(t *testing.T) {
	for _, outcome := range run.Outcomes() {
		at, fin, res := attempt(1, outcome, "aaaa\n")
		filed, err := archiver(t, t.TempDir(), run.Keep{Failures: 9}).Archive(at, fin, res)
		require.NoError(t, err)
		require.Equal(t, outcome.Failed() || outcome == run.OOM, filed != nil, outcome)
	}
}

func TestConcurrentFailuresNeverExceedTheBound(t *testing.T) {
	const attempts, bound = 40, 5
	// All who got a place wait in their first write until everybody else was turned away: with the
	// reservation made after the write, more than the bound would be in here.
	var inside atomic.Int32
	turnedAway := make(chan struct{})
	a := archiver(t, t.TempDir(), run.Keep{Failures: bound}, func(c *ArchiverConfig) {
		c.Fail = func(name string) error {
			if name == "rename" {
				inside.Add(1)
				<-turnedAway
			}
			return nil
		}
	})
	var all, refused sync.WaitGroup
	refused.Add(attempts - bound)
	var bundles atomic.Int32
	for seq := int64(1); seq <= attempts; seq++ {
		all.Go(func() {
			at, fin, res := attempt(seq, run.Fail, "aaaa\n")
			filed, err := a.Archive(at, fin, res)
			switch {
			case err != nil:
				t.Error(err)
			case filed.Bundle != "":
				bundles.Add(1)
			default:
				refused.Done()
			}
		})
	}
	refused.Wait() // hangs if writing held the lock
	close(turnedAway)
	all.Wait()
	require.Equal(t, int32(bound), bundles.Load())
	require.Equal(t, int32(bound), inside.Load())
}

func TestFault36ArchiveAgainAfterADiskFull(t *testing.T) {
	dir := t.TempDir()
	full := true
	a := archiver(t, dir, run.Keep{Failures: 1}, func(c *ArchiverConfig) {
		c.Fail = func(name string) error {
			if full && name == "sync" {
				return syscall.ENOSPC
			}
			return nil
		}
	})
	at, fin, res := attempt(1, run.Fail, "aaaa\n")
	for range 3 {
		filed, err := a.Archive(at, fin, res)
		require.True(t, durable.IsNoSpace(err))
		require.Nil(t, filed)
	}
	full = false
	filed, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	require.NotEmpty(t, filed.Bundle, "failed tries took the only place")

	// The journal met the full disk: the engine archives the same attempt once more.
	again, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	require.Equal(t, filed, again)
	at, fin, res = attempt(2, run.Fail, "aaaa\n")
	second, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	require.Empty(t, second.Bundle)
}

func TestAResumeGoesOnCounting(t *testing.T) {
	a := archiver(t, t.TempDir(), run.Keep{Failures: 3, Passes: 2}, func(c *ArchiverConfig) {
		c.Kept = map[string]int{"aaaa": 2, PassKey: 2}
	})
	kept := 0
	for seq := int64(10); seq < 14; seq++ {
		at, fin, res := attempt(seq, run.Fail, "aaaa\n")
		filed, err := a.Archive(at, fin, res)
		require.NoError(t, err)
		if filed.Bundle != "" {
			kept++
		}
	}
	require.Equal(t, 1, kept)
	at, fin, res := attempt(2_000_000, run.Pass, "fine")
	filed, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	require.Nil(t, filed)
}

func TestPassesAreSampledWithoutTheirTempFolder(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Passes: 3}, func(c *ArchiverConfig) { c.Facts.Spec.Stop.Runs = 9 })
	var kept []string
	for seq := int64(1); seq <= 9; seq++ {
		at, fin, res := attempt(seq, run.Pass, "fine\n")
		at.Temp = "/must/not/be/read"
		filed, err := a.Archive(at, fin, res)
		require.NoError(t, err)
		if filed != nil {
			require.Empty(t, filed.Signature)
			require.Nil(t, opened(t, filepath.Join(dir, filed.Bundle)).Manifest.Temp)
			kept = append(kept, filed.Bundle)
		}
	}
	require.Equal(t, []string{"bundles/pass/00000001", "bundles/pass/00000005", "bundles/pass/00000009"}, kept)
}

func TestSampling(t *testing.T) {
	require.Equal(t, sampling{1, 100, 10_000, 1_000_000}, newSampling(0, 4))
	require.Equal(t, sampling{1, 4, 7, 10}, newSampling(10, 4))
	require.Equal(t, sampling{1}, newSampling(0, 1))
	require.Empty(t, newSampling(10, 0))
	require.Empty(t, newSampling(10, -1))
	s := newSampling(0, 4)
	require.True(t, s.due(1, 0))
	require.False(t, s.due(99, 1))
	require.True(t, s.due(100, 1))
	require.True(t, s.due(150, 1), "a point that fell on a failure is made up for")
	require.False(t, s.due(150, 2))
	require.False(t, s.due(1<<62, 4), "never more than asked for")
}

func TestFault30SignatureIDsNeverLeadElsewhere(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Failures: 1})
	for i, id := range []string{"../../../x", "/etc/x", "pass", ".tmp-x", "..", "a\x00b", strings.Repeat("n", 300), "A", "\xff"} {
		at, fin, res := attempt(int64(i+1), run.Fail, id+" title")
		filed, err := a.Archive(at, fin, res)
		require.NoError(t, err)
		require.Equal(t, id, filed.Signature)
		require.Regexp(t, `^bundles/x-[0-9a-f]{16}/[0-9]{8}$`, filed.Bundle)
		require.DirExists(t, filepath.Join(dir, filed.Bundle))
	}
	require.Equal(t, "0a1b2c", folderFor("0a1b2c"))
}

func TestTail(t *testing.T) {
	require.Equal(t, "", tail(nil))
	require.Equal(t, "a\uFFFDb", tail([]byte("a\xffb")))
	for _, text := range []string{strings.Repeat("é", 3000), "x" + strings.Repeat("é", 3000)} {
		got := tail([]byte(text))
		require.LessOrEqual(t, len(got), maxTail)
		require.Greater(t, len(got), maxTail-4)
		require.True(t, utf8.ValidString(got))
	}
	// Cut first and scrubbed after, the value would stand there without its name.
	require.NotContains(t, tail([]byte("password="+strings.Repeat("k", 100)+" "+strings.Repeat("z", 960))), "kk")
}

func TestNewArchiverNeedsASigner(t *testing.T) {
	_, err := NewArchiver(ArchiverConfig{})
	require.ErrorContains(t, err, "no signer")
}

// TestArchiveNamesTheCommandThatRan: an attempt that ran another command than the campaign's says so in its bundle.
func TestArchiveNamesTheCommandThatRan(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Failures: 1})
	at, fin, res := attempt(1, run.Fail, "aaaa one\n")
	at.Instead = &run.Command{Args: []string{"other", "{seed}"}, Path: "/bin/other", Dir: "/tmp", Env: []string{"PYTHONHASHSEED=7"}}
	filed, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	m := opened(t, filepath.Join(dir, filed.Bundle)).Manifest
	require.Equal(t, Command{Given: []Text{"other", "{seed}"}, Args: []Text{"other", "1234"}, Path: "/bin/other", Dir: "/tmp"}, m.Command)
	require.EqualValues(t, "7", m.Environment.Values["PYTHONHASHSEED"])
}
