package main

import (
	"sync"
	"time"
)

// saver saves something now and then, and once more at its end.
type saver struct {
	save  func() error
	stop  chan struct{}
	saved sync.WaitGroup
}

func saveEvery(every time.Duration, save func() error) *saver {
	s := &saver{save: save, stop: make(chan struct{})}
	s.saved.Go(func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				_ = save() // Close tells of an error that lasts
			case <-s.stop:
				return
			}
		}
	})
	return s
}

func (s *saver) Close() error {
	close(s.stop)
	s.saved.Wait()
	return s.save()
}
