package kernels

import (
	"errors"
	"testing"
	"time"
)

// A request that comes too late is sent to nobody: its goroutine stays for ever.
func lateAnswer(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		size := 0
		if fixed {
			size = 1
		}
		answer := make(chan int, size)
		go func() { answer <- 1 }()
		select {
		case <-answer:
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestLateAnswer(t *testing.T) { sides(t, lateAnswer(false), lateAnswer(true)) }

// The caller takes the first error, or all is well; a second error has nowhere to go.
func secondError(fixed bool) func(*testing.T) {
	return func(t *testing.T) {
		size := 0
		if fixed {
			size = 2
		}
		failed, done := make(chan error, size), make(chan bool, 2)
		for range 2 {
			go func() {
				select {
				case <-done:
				default:
					failed <- errors.New("broken")
				}
			}()
			if len(done) == 0 {
				select {
				case <-failed:
				case <-time.After(5 * time.Millisecond):
				}
				done <- true
				done <- true
			}
		}
	}
}

func TestSecondError(t *testing.T) { sides(t, secondError(false), secondError(true)) }
