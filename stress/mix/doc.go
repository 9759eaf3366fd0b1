// Package mix decides which strategy each attempt of a campaign gets: plain, or one that makes rare schedules
// likely. It holds the ledger of what every strategy has brought and cost, and the rule that draws from it.
//
// The rule is a bandit over failures per second of the campaign, not per attempt: what is held takes longer,
// and the user waits for the first failure, not for a share. It is written down in docs/statistics.md. The
// package is pure: the ledger is folded from finished attempts, so a resume goes on where the journal ends.
package mix
