// Package reports turns a campaign's tally into a Report: every figure that is printed anywhere, derived
// once. The live view, the summary at the end, `heisen show` and its JSON all start from Build, so that
// none of them can disagree. It starts no process and reads no file.
package reports
