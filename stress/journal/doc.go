// Package journal keeps the facts of a campaign: an append-only file of opaque lines, written so that what
// was acknowledged survives a kill and a power cut, and so that damage is noticed and never papered over.
//
// A journal is a folder:
//
//	000001.journal.zst   sealed segments, oldest first
//	000002.journal       the segment that is written now (and one more for a moment, until it is sealed)
//	000001.snapshot      what the reader's fold came to after segment 1: a cache, rebuilt when it is lost
//	torn-000002-…        what recovery cut off the end of a segment, kept for a person to look at
//	.tmp-…               unfinished; removed at the next opening
//
// A segment is text (see frame.go for each line):
//
//	#heisen-journal 1 campaign=… segment=2 batch=41 chain=… crc=…
//	#batch 41 records=2 bytes=31 chain=… crc=…
//	{"k":"finished","d":{…}}
//	{"k":"finished","d":{…}}
//
// One process writes a journal at a time; the campaign's lock sees to that. Any number may read it
// meanwhile: Read, Load and ReadAll take an incomplete batch at the very end for the end.
package journal
