package reports

// Revision is what the source was at in an epoch, and how often the test failed there.
type Revision struct {
	Epoch int
	// ID is the full hash; Dirty tells of changes that were not committed.
	ID    string
	Dirty bool
	Rate  Rate
}

// Since finds the first revision at which the test failed, and the last before it at which it was tried and never did;
// either is nil where that is not known. The list is of one campaign, oldest epoch first.
func Since(list []Revision) (first, before *Revision) {
	for i := range list {
		if list[i].Rate.Failures > 0 {
			return &list[i], before
		}
		if list[i].Rate.Attempts > 0 {
			before = &list[i]
		}
	}
	return nil, before
}
