// Package contrast says whether the machine starved the failing attempts of a CPU: it compares their
// measurements with those of passing attempts that ran at the same time.
//
// A Sample folds the records of a campaign of any length into a bounded memory. Compare and
// CompareSignature turn it into a Finding: medians, spread, effect size and rank test of every signal, a
// verdict, and one sentence. The same records in the same order always give the same answer; nothing here
// reads a clock or draws at random. docs/statistics.md has the rule and its reasons.
package contrast
