package provenance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnvironment(t *testing.T) {
	values, names := Environment([]string{
		"PATH=/bin", "LANG=C", "LC_ALL=de_DE", "TZ=UTC", "HEISEN_SEED=7", "GOMAXPROCS=2", "PATH=/usr/bin",
		"HOME=/home/n", "USER=n", "AWS_SECRET_ACCESS_KEY=canary", "LD_PRELOAD=/x.so", "LC_TOKEN=canary",
		"HEISEN_API_TOKEN=canary", "PYTHONPATH=https://u:canary12@host/x", "EMPTY=", "=odd", "noequals", "HOME=/other",
	})
	require.Equal(t, map[string]string{
		"PATH": "/usr/bin", "LANG": "C", "LC_ALL": "de_DE", "TZ": "UTC", "HEISEN_SEED": "7", "GOMAXPROCS": "2",
	}, values)
	require.Equal(t, []string{
		"AWS_SECRET_ACCESS_KEY", "EMPTY", "HEISEN_API_TOKEN", "HOME", "LC_TOKEN", "LD_PRELOAD", "PYTHONPATH", "USER",
	}, names)
}

func TestEveryAllowedGroupHasAReason(t *testing.T) {
	for _, group := range allowed {
		require.NotEmpty(t, group.reason)
		require.NotEmpty(t, group.names)
	}
}

func TestScrub(t *testing.T) {
	for in, want := range map[string]string{
		"password=hunter2222 next":            "password=[redacted] next",
		`{"api_key": "abcdef123456"}`:         `{"api_key": "[redacted]"}`,
		"Authorization: Bearer abc.def-12345": "Authorization: Bearer [redacted]",
		"get https://me:s3cr3t@host/p":        "get https://me:[redacted]@host/p",
		"AKIAABCDEFGHIJKLMNOP":                "[redacted]",
		"ghp_0123456789abcdefghij":            "[redacted]",
		"x eyJhbGciOiJI.eyJzdWIiOiIx.sig y":   "x [redacted] y",
		"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nafter": "[redacted]\nafter",
		"-----BEGIN PRIVATE KEY-----\ncut off":                                       "[redacted]",
		"expected 3, got 4 at 0x7f: token":                                           "expected 3, got 4 at 0x7f: token",
		"http://localhost:8080/x basic authentication works":                         "http://localhost:8080/x basic authentication works",
		"basic tests": "basic tests",
	} {
		require.Equal(t, want, Scrub(in), in)
		require.Equal(t, want, Scrub(Scrub(in)), "scrubbing twice changes it: %s", in)
	}
}
