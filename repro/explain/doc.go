// Package explain looks for the order of two events that decides a failure, and tests it in both directions: the minimised
// plan forces it and the failure comes, holding the other thread as well forbids it and the failure stays away. It states
// a cause only where both were seen at rates whose intervals lie apart; otherwise it says what was tried.
package explain
