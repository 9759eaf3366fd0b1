// Package cost has the benchmarks that tell what the other runtime costs: of programs that do little beside sending,
// receiving and locking, and of programs that compute. It is tests alone, so that the overlaid binary holds them.
package cost

import (
	"crypto/sha256"
	"sync"
	"testing"
)

var sink int

func work(n int) int {
	s := 0
	for i := range n {
		s += i * i
	}
	return s
}

func BenchmarkChannelPingPong(b *testing.B) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	for range b.N {
		there <- 1
		<-back
	}
	close(there)
}

func BenchmarkChannelPipeline(b *testing.B) {
	in, middle, out := make(chan int, 16), make(chan int, 16), make(chan int, 16)
	go func() {
		for v := range in {
			middle <- v + 1
		}
		close(middle)
	}()
	go func() {
		for v := range middle {
			out <- v * 2
		}
		close(out)
	}()
	go func() {
		for range b.N {
			in <- 1
		}
		close(in)
	}()
	for v := range out {
		sink += v
	}
}

func BenchmarkChannelSelect(b *testing.B) {
	left, right, stop := make(chan int), make(chan int), make(chan bool)
	for _, c := range []chan int{left, right} {
		go func() {
			for {
				select {
				case c <- 1:
				case <-stop:
					return
				}
			}
		}()
	}
	for range b.N {
		select {
		case v := <-left:
			sink += v
		case v := <-right:
			sink += v
		}
	}
	close(stop)
}

func BenchmarkChannelWorkers(b *testing.B) {
	jobs, results := make(chan int, 8), make(chan int, 8)
	for range 4 {
		go func() {
			for n := range jobs {
				results <- work(n)
			}
		}()
	}
	go func() {
		for range b.N {
			jobs <- 200
		}
		close(jobs)
	}()
	for range b.N {
		sink += <-results
	}
}

func BenchmarkMutexPair(b *testing.B) {
	var m sync.Mutex
	for range b.N {
		m.Lock()
		sink++
		m.Unlock()
	}
}

func BenchmarkMutexContended(b *testing.B) {
	var m sync.Mutex
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Lock()
			sink++
			m.Unlock()
		}
	})
}

func BenchmarkMutexMap(b *testing.B) {
	var m sync.Mutex
	all := map[int]int{}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			m.Lock()
			all[i&1023]++
			m.Unlock()
		}
	})
}

func BenchmarkRWMutexMap(b *testing.B) {
	var m sync.RWMutex
	all := map[int]int{}
	b.RunParallel(func(pb *testing.PB) {
		s := 0
		for i := 0; pb.Next(); i++ {
			if i&63 == 0 {
				m.Lock()
				all[i&1023]++
				m.Unlock()
				continue
			}
			m.RLock()
			s += all[i&1023]
			m.RUnlock()
		}
		_ = s
	})
}

func BenchmarkMutexSpawnAndWait(b *testing.B) {
	var m sync.Mutex
	for range b.N {
		var group sync.WaitGroup
		for range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				m.Lock()
				defer m.Unlock()
				sink += work(20)
			}()
		}
		group.Wait()
	}
}

func BenchmarkCPUHash(b *testing.B) {
	buf := make([]byte, 8192)
	for range b.N {
		sum := sha256.Sum256(buf)
		sink += int(sum[0])
	}
}

func BenchmarkCPULoop(b *testing.B) {
	for range b.N {
		sink += work(2000)
	}
}

func BenchmarkCPUMapsAndSlices(b *testing.B) {
	for range b.N {
		m := map[int][]int{}
		for i := range 200 {
			m[i%17] = append(m[i%17], i)
		}
		sink += len(m)
	}
}

func BenchmarkCPUAllocations(b *testing.B) {
	for range b.N {
		var list [][]byte
		for i := range 50 {
			list = append(list, make([]byte, 64+i))
		}
		sink += len(list)
	}
}
