package human_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/human"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567", -1234: "-1,234", -123: "-123",
	} {
		require.Equal(t, want, human.Count(n))
	}
}

func TestPlural(t *testing.T) {
	require.Equal(t, "0 attempts", human.Plural(0, "attempt"))
	require.Equal(t, "1 attempt", human.Plural(1, "attempt"))
	require.Equal(t, "1,200 attempts", human.Plural(1200, "attempt"))
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0", 1: "100", 0.0006: "0.060", 0.00012: "0.012", 0.00176: "0.18", 0.25: "25", 0.034: "3.4",
		0.5: "50", 0.9985: "99.85", 0.99972: "99.972", 1.0 / 3: "33", 1e-7: "0.000010", 0.95: "95.0",
	} {
		require.Equal(t, want, human.Percent(share), "%v", share)
	}
}

func TestPercentNeverRoundsToCertainty(t *testing.T) {
	for _, share := range []float64{1e-9, 1 - 1e-9, 0.9999, 0.0001} {
		require.NotContains(t, []string{"0", "100"}, human.Percent(share), "%v", share)
	}
}

func TestRange(t *testing.T) {
	require.Equal(t, "0.012–0.18", human.Range(0.000123, 0.00176))
	require.Equal(t, "0–100", human.Range(0, 1))
}

func TestElapsed(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 900 * time.Millisecond: "0s", 45 * time.Second: "45s", 150 * time.Second: "2m30s",
		62 * time.Minute: "1h02m", 76 * time.Hour: "3d04h",
	} {
		require.Equal(t, want, human.Elapsed(d))
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 500: "500ns", 850 * time.Microsecond: "850µs", 12340 * time.Microsecond: "12.3ms",
		1250 * time.Millisecond: "1.25s", 30 * time.Second: "30s", 59999 * time.Millisecond: "60s",
		90 * time.Second: "1m30s",
	} {
		require.Equal(t, want, human.Duration(d))
	}
}

func TestPerSecond(t *testing.T) {
	for rate, want := range map[float64]string{0: "0/s", 0.417: "0.42/s", 5.4: "5.4/s", 64: "64/s", 1234.6: "1,235/s", 0.004: "0.004/s"} {
		require.Equal(t, want, human.PerSecond(rate))
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 20 << 20: "20 MiB", 3 << 40: "3 TiB"} {
		require.Equal(t, want, human.Bytes(n))
	}
}
