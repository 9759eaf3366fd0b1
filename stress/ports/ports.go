// Package ports reserves ranges of TCP and UDP port numbers for the copies of a test, so that two heisens
// on one machine never hand out the same ones.
package ports

import (
	"errors"
	"fmt"
	"net"
)

// The range is below Linux's default ephemeral ports (32768, net.ipv4.ip_local_port_range), so that no
// outgoing connection takes a port away from a test, and above what services usually listen on.
const (
	first     = 10000
	last      = 32767
	blockSize = 1024
)

// Block is a reserved range of consecutive ports.
type Block struct {
	// Base is the first port.
	Base  int
	locks []net.Listener
}

// Reserve takes n consecutive ports for as long as the Block is open. The reservation is an abstract Unix
// socket per block of ports: the kernel drops it with the process, and its names are per network
// namespace, exactly as ports are (unix(7), network_namespaces(7)).
//
// It does not look whether a program that knows nothing of heisen listens on one of them.
func Reserve(n int) (*Block, error) {
	need := (n + blockSize - 1) / blockSize
	have := (last - first + 1) / blockSize
	if need > have {
		return nil, fmt.Errorf("reserve %d ports: only %d are heisen's to give: use a smaller -j or --ports", n, have*blockSize)
	}
	for start := 0; start+need <= have; start++ {
		b := &Block{Base: first + start*blockSize}
		if b.lock(start, need) {
			return b, nil
		}
		b.Close()
	}
	return nil, fmt.Errorf("reserve %d ports: other heisens on this machine hold them: use a smaller -j or --ports", n)
}

// lock takes every block from start on, or says false.
func (b *Block) lock(start, need int) bool {
	for i := start; i < start+need; i++ {
		l, err := net.Listen("unix", fmt.Sprintf("@heisen-ports-%d", first+i*blockSize))
		if err != nil {
			return false
		}
		b.locks = append(b.locks, l)
	}
	return true
}

// Close gives the ports back.
func (b *Block) Close() error {
	var errs []error
	for _, l := range b.locks {
		errs = append(errs, l.Close())
	}
	b.locks = nil
	return errors.Join(errs...)
}
