// Package replay runs attempts of a recorded failure again: Read makes a recipe of a bundle, and a Desk has an engine
// make the attempts that somebody orders, each under a plan of its own or left alone. A bundle may be a stranger's:
// Safe says which of its variables may be set without being trusted, Differences what is not as it was.
package replay
