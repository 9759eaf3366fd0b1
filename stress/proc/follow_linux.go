package proc

// followed is the lane whose descendants somebody else records.
type followed struct {
	lane    *lane
	release func() error
}

// newFollowed starts the lane and has Config.Follow do its part on its thread; nil without one.
func (s *Supervisor) newFollowed() (*followed, error) {
	if s.cfg.Follow == nil {
		return nil, nil
	}
	f := &followed{}
	var err error
	f.lane, err = newLane(make(chan launch), s.spawn, func() (err error) {
		f.release, err = s.cfg.Follow()
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// close lets go of the record and ends the lane.
func (f *followed) close() error {
	if f == nil {
		return nil
	}
	err := f.release()
	close(f.lane.requests)
	<-f.lane.done
	return err
}
