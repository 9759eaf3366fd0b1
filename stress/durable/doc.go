// Package durable puts files and folders on disk so that a crash or a power cut leaves either the old
// state or the new one, and never a mixture.
//
// The order is always the same: content, fsync of the content, rename, fsync of the folder that holds the
// name. rename(2) alone orders nothing: ext4 with delayed allocation may write the name before the data,
// and fsync(2) of a file says nothing about its entry in the folder ("Calling fsync() does not necessarily
// ensure that the entry in the directory containing the file has also reached disk").
//
// Everything made here is private to its user whatever the umask is: folders 0700, files 0600.
package durable
