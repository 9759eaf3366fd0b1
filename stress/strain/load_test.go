package strain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Load{
		"cpu=4,mem=512M,io=2": {CPU: 4, Memory: 512 << 20, IO: 2},
		"io=1":                {IO: 1},
		"mem=1":               {Memory: 1},
		"mem=3g,cpu=1":        {CPU: 1, Memory: 3 << 30},
		"mem=2T":              {Memory: 2 << 40},
		"cpu=1024":            {CPU: 1024},
	} {
		got, err := Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", ",", "cpu", "cpu=", "cpu=0", "cpu=-1", "cpu=+1", "cpu=1.5", "cpu=1025", "cpu=1,cpu=2", "cpu=1,", "cpu=1 ,io=1", "CPU=1",
		"mem=0", "mem=-1M", "mem=M", "mem=1X", "mem=1MM", "mem=8388608T", "mem=1.5G", "io=0", "io=99999999999999999999", "disk=1", "net=1",
	} {
		got, err := Parse(text)
		require.Error(t, err, text)
		require.Zero(t, got, text)
		require.NotContains(t, err.Error(), "\n")
		require.True(t, strings.HasSuffix(err.Error(), "write it like cpu=4,mem=512M,io=2"), err)
	}
}

func TestStringIsReadBack(t *testing.T) {
	require.Empty(t, Load{}.String())
	rapid.Check(t, func(t *rapid.T) {
		l := Load{
			CPU: rapid.IntRange(0, mostHogs).Draw(t, "cpu"), IO: rapid.IntRange(0, mostHogs).Draw(t, "io"),
			Memory: rapid.Int64Range(0, 1<<62).Draw(t, "mem") >> rapid.IntRange(0, 62).Draw(t, "shift"),
		}
		if l == (Load{}) {
			return
		}
		got, err := Parse(l.String())
		if err != nil || got != l {
			t.Fatalf("%+v as %q is read as %+v, %v", l, l, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("cpu=4,mem=512M,io=2")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(l.String())
		if err != nil || again != l {
			t.Errorf("%q is %+v, and that as %q is %+v, %v", text, l, l, again, err)
		}
	})
}
