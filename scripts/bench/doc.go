// Command bench measures heisen against other ways of running one command many times: x/tools stress, GNU
// parallel and a bare posix_spawn loop in C. scripts/bench/run builds all of them and starts it.
//
// Every round measures every tool once, in turn, so that a noisy minute of the machine hits all of them. A
// figure is the median over the rounds, with its range.
package main
