// Package early prepares a process that heisen starts of itself, a tracer above all, before the packages it is made of
// prepare themselves. Their tables take some 400 pages of fresh memory, and a page that is met by a fault costs up to
// twenty times what it costs when it is asked for together with others.
//
// It imports next to nothing: packages are initialised in the order of their paths as soon as what they import
// is (the Go specification, Package initialization), so that it comes before all that have more to wait for.
package early
