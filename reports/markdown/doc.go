// Package markdown renders a failure as a bug report that can be pasted into a tracker: GitHub's flavour, or plain
// CommonMark. Text from the test, its machine or a journal is shown, never obeyed: it stands in code spans and
// fences longer than any run of backticks in it, or in prose with every mark escaped and every mention and link
// broken; secrets of known shapes are taken out first.
package markdown
