package main

import (
	"sync"

	"heisen/stress/proc/guard"
)

// follow passes on what the terminal says until the returned function is called.
func (s *session) follow() (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			select {
			case c := <-s.link.Commands():
				s.obey(c)
			case <-done:
				return
			}
		}
	})
	return func() { close(done); ended.Wait() }
}

func (s *session) obey(c guard.Command) {
	switch c := c.(type) {
	case guard.Interrupt:
		s.engine.Interrupt()
	case guard.Terminate, guard.Quit, guard.FrontGone:
		s.engine.Abort()
	case guard.Suspend:
		s.engine.Pause()
		s.pauseLoad(true)
		s.view.Suspend()
		c.Ack()
	case guard.Resume:
		s.view.Resume(c.Foreground)
		s.pauseLoad(false)
		s.engine.Resume()
	}
}

func (s *session) pauseLoad(on bool) {
	if s.hogs != nil {
		s.hogs.Pause(on)
	}
}
