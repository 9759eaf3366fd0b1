package starve

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"time"

	"heisen/stress/durable"
)

// seriesVersion is raised when an older reader would misread the file.
const seriesVersion = 1

// seriesDocument is series.json. Times are microseconds since 1970.
type seriesDocument struct {
	Version int           `json:"version"`
	Metrics []Metric      `json:"metrics"`
	Levels  [][]pointJSON `json:"levels"`
}

type pointJSON struct {
	Start int64  `json:"start_us"`
	Last  int64  `json:"last_us"`
	Stats []Stat `json:"stats"`
}

// MarshalJSON writes null for no reading, [value] for one and [mean, min, max, n] for many.
func (s Stat) MarshalJSON() ([]byte, error) {
	switch {
	case s.N == 0:
		return []byte("null"), nil
	case s.N == 1:
		return append(appendNumber([]byte{'['}, s.Mean), ']'), nil
	}
	b := []byte{'['}
	for _, v := range []float64{s.Mean, s.Min, s.Max} {
		b = append(appendNumber(b, v), ',')
	}
	return append(strconv.AppendInt(b, s.N, 10), ']'), nil
}

// appendNumber rounds to what a reader can tell apart; JSON has no NaN.
func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strconv.AppendFloat(b, math.Round(v*1e4)/1e4, 'f', -1, 64)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Stat) UnmarshalJSON(data []byte) error {
	var v []float64
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	switch {
	case v == nil:
		*s = Stat{}
	case len(v) == 1:
		*s = reading(v[0])
	case len(v) == 4 && v[3] >= 2 && v[3] < 1<<53:
		*s = Stat{N: int64(v[3]), Mean: v[0], Min: v[1], Max: v[2]}
	default:
		return fmt.Errorf("read point of a series: %d numbers", len(v))
	}
	return nil
}

// MarshalJSON writes the series with its resolutions, so that it can be gone on with.
func (s *Series) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	doc := seriesDocument{Version: seriesVersion, Metrics: metrics[:], Levels: make([][]pointJSON, len(s.levels))}
	for i, l := range s.levels {
		for _, p := range l {
			doc.Levels[i] = append(doc.Levels[i], pointJSON{p.Start.UnixMicro(), p.Last.UnixMicro(), p.Stats})
		}
	}
	return json.Marshal(doc)
}

// UnmarshalJSON reads a series. Columns are found by name: one that this version does not know is left
// out, one that the file does not have is empty.
func (s *Series) UnmarshalJSON(data []byte) error {
	var doc seriesDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("read series: %w", err)
	}
	if doc.Version != seriesVersion {
		return fmt.Errorf("read series: version %d, this heisen knows %d: use the heisen that wrote it", doc.Version, seriesVersion)
	}
	if len(doc.Levels) > 64 {
		return fmt.Errorf("read series: %d levels", len(doc.Levels))
	}
	levels := make([][]Point, len(doc.Levels))
	for i, l := range doc.Levels {
		if len(l) > perLevel {
			return fmt.Errorf("read series: %d points in a level of %d", len(l), perLevel)
		}
		for _, p := range l {
			levels[i] = append(levels[i], Point{
				Start: time.UnixMicro(p.Start), Last: time.UnixMicro(p.Last), Stats: arrange(doc.Metrics, p.Stats),
			})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.levels = levels
	return nil
}

// arrange puts a file's columns where this version has them.
func arrange(file []Metric, stats []Stat) []Stat {
	own := make([]Stat, columns)
	for i, m := range file {
		for c := range metrics {
			if metrics[c].Name == m.Name && i < len(stats) {
				own[c] = stats[i]
			}
		}
	}
	return own
}

// ReadSeries reads a series.json.
func ReadSeries(path string) (*Series, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read series: %w", err)
	}
	s := &Series{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// openSeries goes on with the series at path, if there is one.
func openSeries(path string) (*Series, error) {
	if path == "" {
		return &Series{}, nil
	}
	s, err := ReadSeries(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Series{}, nil
	}
	return s, err
}

// WriteFile replaces the file at path by the series, durably.
func (s *Series) WriteFile(path string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write series: %w", err)
	}
	return durable.WriteFile(path, append(data, '\n'), nil)
}

// WriteCSV writes a line per point: its time (RFC 3339), its length in seconds and mean, minimum and
// maximum of each column; a column without a reading is empty.
func (s *Series) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"time", "seconds"}
	for _, m := range metrics {
		head = append(head, m.Name+"_mean", m.Name+"_min", m.Name+"_max")
	}
	if err := out.Write(head); err != nil {
		return fmt.Errorf("write series: %w", err)
	}
	for _, p := range s.Points() {
		line := []string{p.Start.UTC().Format(time.RFC3339Nano), number(p.Last.Sub(p.Start).Seconds())}
		for _, st := range p.Stats {
			if st.N == 0 {
				line = append(line, "", "", "")
				continue
			}
			line = append(line, number(st.Mean), number(st.Min), number(st.Max))
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("write series: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write series: %w", err)
	}
	return nil
}

func number(v float64) string { return string(appendNumber(nil, v)) }
