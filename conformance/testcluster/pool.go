package main

import (
	"net/netip"
	"sync"
)

// pool hands out the addresses of a range, the one freed longest ago first: a client that still
// dials an address of the past should not find somebody else there.
type pool struct {
	mu    sync.Mutex
	whole netip.Prefix
	last  netip.Addr
	taken map[netip.Addr]bool
}

func newPool(whole string) *pool {
	prefix := netip.MustParsePrefix(whole)
	return &pool{whole: prefix, last: prefix.Addr(), taken: map[netip.Addr]bool{}}
}

// next takes a free address.
func (p *pool) next() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 1 << (32 - p.whole.Bits()) {
		// The first and the last address of the range mean the range itself and everyone in it.
		p.last = p.last.Next()
		if !p.whole.Contains(p.last.Next()) {
			p.last = p.whole.Addr().Next()
		}
		if !p.taken[p.last] {
			p.taken[p.last] = true
			return p.last.String(), true
		}
	}
	return "", false
}

// take takes this address, where it is in the range and free.
func (p *pool) take(address string) bool {
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.whole.Contains(parsed) || p.taken[parsed] {
		return false
	}
	p.taken[parsed] = true
	return true
}

// release gives an address back.
func (p *pool) release(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, netip.MustParseAddr(address))
}
