// Package stress is the engine: one dispatcher numbers the attempts of a campaign, hands them to a
// Runner, sees each through its finish stage and is the only emitter of events.
package stress
