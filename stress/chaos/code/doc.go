// Package code reads a program's file and finds the places in its own machine code where losing the CPU may matter: the
// instructions after one that touches memory which other threads may see, and after a call. A thread that is held there
// stands between a test and what follows from it, or between a load and its store, where no system call is made.
//
// Sampling memory accesses with breakpoints and delays is DataCollider's idea (Erickson et al., OSDI 2010); here a delay
// only makes a schedule likely, and what fails is the test.
package code
