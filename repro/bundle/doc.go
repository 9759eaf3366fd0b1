// Package bundle is the format in which one attempt lives on: a folder that holds all that is needed to
// read, replay and report it. docs/bundle.md describes the format.
//
// Archiver decides which attempts get a bundle and files them, Write puts one on disk so that a crash
// leaves it whole or absent, and Open reads one that may come from a stranger.
package bundle
