//go:build !linux

package strain

// Hogs cannot be started on this system.
type Hogs struct{}

// Start returns ErrUnsupported.
func Start(Load, Config) (*Hogs, error) { return nil, ErrUnsupported }

// Pause does nothing.
func (*Hogs) Pause(bool) {}

// Stats is empty.
func (*Hogs) Stats() Stats { return Stats{} }

// Close does nothing.
func (*Hogs) Close() error { return nil }

// RunHog returns ErrUnsupported.
func RunHog([]string) error { return ErrUnsupported }
