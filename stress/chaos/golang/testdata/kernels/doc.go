// Package kernels holds small tests with the shapes of concurrency bugs that real Go programs had. Each has
// a broken side, which fails under few schedules, and a fixed side, which no schedule makes fail.
//
// A blocked program is to be seen by the runtime itself ("all goroutines are asleep"), so they are run with
// -timeout 0; kernels in leak_test.go only leave goroutines behind and want --go-leaks.
package kernels
