package main

import (
	"sync"

	"heisen/reports/live"
	"heisen/stress"
	"heisen/stress/proc/guard"
)

// follow passes on what the terminal says until the returned function is called.
func follow(link *guard.Link, engine *stress.Engine, view *live.View) (stop func()) {
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			select {
			case c := <-link.Commands():
				obey(c, engine, view)
			case <-done:
				return
			}
		}
	})
	return func() { close(done); ended.Wait() }
}

func obey(c guard.Command, engine *stress.Engine, view *live.View) {
	switch c := c.(type) {
	case guard.Interrupt:
		engine.Interrupt()
	case guard.Terminate, guard.Quit, guard.FrontGone:
		engine.Abort()
	case guard.Suspend:
		engine.Pause()
		view.Suspend()
		c.Ack()
	case guard.Resume:
		view.Resume(c.Foreground)
		engine.Resume()
	}
}
