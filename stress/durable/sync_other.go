//go:build !linux

package durable

import "os"

// Datasync makes a file's content and length durable; here it is a full fsync.
func Datasync(f *os.File) error { return f.Sync() }
