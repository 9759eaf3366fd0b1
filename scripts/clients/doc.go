// Package clients holds the tiny clients by which a test tells heisen events, one folder a language, and
// the tests that run each of them through heisen's own channel.
package clients
